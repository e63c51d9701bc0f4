package sandbox

import (
	"net/url"
	"testing"
	"time"
)

// A roleAnswer is the portal's answer to GetRoleCredentials, or its refusal.
type roleAnswer struct {
	Role struct {
		AccessKeyID     string `json:"accessKeyId"`
		SecretAccessKey string `json:"secretAccessKey"`
		SessionToken    string `json:"sessionToken"`
		Expiration      int64  `json:"expiration"`
	} `json:"roleCredentials"`
	Message string `json:"message"`
}

// roleOf asks an SSO's portal for a role's credentials.
func roleOf(t *testing.T, sso *SSO, access, role, account string) (status int, kind string, out roleAnswer) {
	t.Helper()
	query := url.Values{"role_name": {role}, "account_id": {account}}
	status, header, text := ask(t, sso.URL()+"/federation/credentials?"+query.Encode(), "GET", "", "x-amz-sso_bearer_token", access)
	parse(t, text, &out)
	return status, header.Get("x-amzn-errortype"), out
}

func TestAnAccessTokenIsWorthARolesCredentials(t *testing.T) {
	s, sso := newSSO(t, SSOOptions{Life: time.Minute})
	in := ssoLogin(t, sso.Login())
	before := time.Now()
	status, kind, out := roleOf(t, sso, in.AccessToken, "agent", s.Identity("agent").Account)
	if status != 200 {
		t.Fatalf("%d %s %+v", status, kind, out)
	}
	set := registered(t, s, "agent", out.Role.AccessKeyID, out.Role.SecretAccessKey, out.Role.SessionToken)
	if out.Role.Expiration != set.Expires.UnixMilli() || set.Expires.Before(before.Add(time.Minute)) || set.Expires.After(time.Now().Add(time.Minute)) {
		t.Errorf("they say %d, and expire at %s", out.Role.Expiration, set.Expires)
	}
	if _, _, again := roleOf(t, sso, in.AccessToken, "agent", s.Identity("agent").Account); again.Role.AccessKeyID == out.Role.AccessKeyID {
		t.Error("the same set twice")
	}
	if sso.RoleCalls() != 2 || sso.TokenCalls() != 0 {
		t.Errorf("%d roles, %d tokens", sso.RoleCalls(), sso.TokenCalls())
	}
}

func TestThePortalRefusesAsItDoes(t *testing.T) {
	s, sso := newSSO(t, SSOOptions{})
	account, other := s.Identity("agent").Account, s.Identity("other").Account
	good := ssoLogin(t, sso.Login())
	for name, test := range map[string]struct {
		access, role, account string
		status                int
		kind                  string
	}{
		"no token":           {"", "agent", account, 401, "UnauthorizedException"},
		"a token of nobody":  {"aoaX", "agent", account, 401, "UnauthorizedException"},
		"a refresh token":    {good.RefreshToken, "agent", account, 401, "UnauthorizedException"},
		"a token of the end": {ssoLogin(t, sso.LoginExpired()).AccessToken, "agent", account, 401, "UnauthorizedException"},
		"of a dead login":    {ssoLogin(t, sso.LoginDead()).AccessToken, "agent", account, 401, "UnauthorizedException"},
		"no role":            {good.AccessToken, "", account, 400, "InvalidRequestException"},
		"no account":         {good.AccessToken, "agent", "", 400, "InvalidRequestException"},
		"an unknown role":    {good.AccessToken, "nobody", account, 403, "ForbiddenException"},
		"another's account":  {good.AccessToken, "agent", other, 403, "ForbiddenException"},
	} {
		if status, kind, out := roleOf(t, sso, test.access, test.role, test.account); status != test.status || kind != test.kind || out.Message == "" {
			t.Errorf("%s: %d %s %+v, want %d %s", name, status, kind, out, test.status, test.kind)
		}
	}
	if s.known("nobody") != nil {
		t.Error("asking for a role makes it")
	}
}

func TestCancelledAccessTokensAreRefusedAndCanBeRefreshed(t *testing.T) {
	s, sso := newSSO(t, SSOOptions{})
	account := s.Identity("agent").Account
	in := ssoLogin(t, sso.Login())
	if status, _, _ := roleOf(t, sso, in.AccessToken, "agent", account); status != 200 {
		t.Fatalf("before: %d", status)
	}
	sso.Cancel()
	if status, kind, _ := roleOf(t, sso, in.AccessToken, "agent", account); status != 401 || kind != "UnauthorizedException" {
		t.Errorf("cancelled: %d %s", status, kind)
	}
	_, _, out := refresh(t, sso.URL(), in)
	if status, _, _ := roleOf(t, sso, out.AccessToken, "agent", account); status != 200 {
		t.Errorf("refreshed: %d", status)
	}
}

func TestAnAccessTokenIsGoodUntilItsFileSaysThatItEnds(t *testing.T) {
	at := noon()
	s := New(Options{Now: func() time.Time { return at }})
	sso := s.SSO(SSOOptions{TokenLife: time.Minute})
	in := ssoLogin(t, sso.Login())
	for after, want := range map[time.Duration]bool{0: true, time.Minute: true, time.Minute + time.Nanosecond: false} {
		at = noon().Add(after)
		if got := sso.admits(in.AccessToken); got != want || after == time.Minute && !in.ExpiresAt.Equal(at) {
			t.Errorf("after %s: %t; its file says %s", after, got, in.ExpiresAt)
		}
	}
}
