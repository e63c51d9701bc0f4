package sandbox

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// An ssoFile is what "aws sso login" writes, with every key it has.
type ssoFile struct {
	StartURL              string    `json:"startUrl"`
	Region                string    `json:"region"`
	AccessToken           string    `json:"accessToken"`
	ExpiresAt             time.Time `json:"expiresAt"`
	ClientID              string    `json:"clientId"`
	ClientSecret          string    `json:"clientSecret"`
	RegistrationExpiresAt time.Time `json:"registrationExpiresAt"`
	RefreshToken          string    `json:"refreshToken"`
}

// A refreshed is OIDC's answer to CreateToken, or its refusal.
type refreshed struct {
	AccessToken  string `json:"accessToken"`
	TokenType    string `json:"tokenType"`
	ExpiresIn    int    `json:"expiresIn"`
	RefreshToken string `json:"refreshToken"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`
}

func ssoLogin(t *testing.T, file []byte) (in ssoFile) {
	t.Helper()
	parse(t, string(file), &in)
	return in
}

// refresh asks an SSO for a new access token as the SDK does.
func refresh(t *testing.T, url string, in ssoFile) (status int, kind string, out refreshed) {
	t.Helper()
	body := marshal(map[string]string{
		"clientId": in.ClientID, "clientSecret": in.ClientSecret, "grantType": "refresh_token", "refreshToken": in.RefreshToken,
	})
	status, header, text := ask(t, url+"/token", "POST", body, "Content-Type", "application/json")
	parse(t, text, &out)
	return status, header.Get("x-amzn-errortype"), out
}

func newSSO(t *testing.T, o SSOOptions) (*Sandbox, *SSO) {
	t.Helper()
	s := New(Options{})
	t.Cleanup(s.Close)
	s.Identity("agent")
	return s, s.SSO(o)
}

func TestAnSSORefreshTokenIsGoodOnce(t *testing.T) {
	_, sso := newSSO(t, SSOOptions{TokenLife: 90 * time.Second})
	in := ssoLogin(t, sso.LoginExpired())
	first := in
	for n := range 3 {
		status, kind, out := refresh(t, sso.URL(), in)
		if status != 200 || out.TokenType != "Bearer" || out.ExpiresIn != 90 || out.RefreshToken == in.RefreshToken || out.AccessToken == in.AccessToken {
			t.Fatalf("refresh %d: %d %s %+v", n, status, kind, out)
		}
		in.AccessToken, in.RefreshToken = out.AccessToken, out.RefreshToken
	}
	status, kind, out := refresh(t, sso.URL(), first)
	if status != 400 || kind != "InvalidGrantException" || out.Error != "invalid_grant" || out.Description == "" {
		t.Errorf("a used token: %d %s %+v", status, kind, out)
	}
	if sso.TokenCalls() != 4 || sso.TokenRefusals() != 1 || sso.RoleCalls() != 0 {
		t.Errorf("%d calls, %d refused, %d roles", sso.TokenCalls(), sso.TokenRefusals(), sso.RoleCalls())
	}
}

// Eight routes that do not speak to each other: the fault that issue 3 has a gate against.
func TestOfManyRefreshesAtOnceOneIsGranted(t *testing.T) {
	_, sso := newSSO(t, SSOOptions{})
	in := ssoLogin(t, sso.LoginExpired())
	url := sso.URL()
	var all sync.WaitGroup
	var granted atomic.Int32
	for range 8 {
		all.Go(func() {
			if status, _, _ := refresh(t, url, in); status == 200 {
				granted.Add(1)
			}
		})
	}
	all.Wait()
	if granted.Load() != 1 || sso.TokenCalls() != 8 || sso.TokenRefusals() != 7 {
		t.Errorf("%d granted; %d calls, %d refused", granted.Load(), sso.TokenCalls(), sso.TokenRefusals())
	}
}

func TestOIDCRefusesAsItDoes(t *testing.T) {
	_, sso := newSSO(t, SSOOptions{})
	in := ssoLogin(t, sso.LoginExpired())
	dead := ssoLogin(t, sso.LoginDead())
	body := func(id, secret, grant, token string) string {
		return marshal(map[string]string{"clientId": id, "clientSecret": secret, "grantType": grant, "refreshToken": token})
	}
	const device = "urn:ietf:params:oauth:grant-type:device_code"
	refused := map[string]struct {
		body   string
		status int
		kind   string
		code   string
	}{
		"no JSON":           {"grant_type=refresh_token", 400, "InvalidRequestException", "invalid_request"},
		"snake case":        {`{"client_id":"x","client_secret":"x","grant_type":"refresh_token"}`, 400, "InvalidRequestException", "invalid_request"},
		"another client":    {body("x", in.ClientSecret, "refresh_token", in.RefreshToken), 401, "InvalidClientException", "invalid_client"},
		"a wrong secret":    {body(in.ClientID, "x", "refresh_token", in.RefreshToken), 401, "InvalidClientException", "invalid_client"},
		"another grant":     {body(in.ClientID, in.ClientSecret, device, in.RefreshToken), 400, "UnsupportedGrantTypeException", "unsupported_grant_type"},
		"no refresh token":  {body(in.ClientID, in.ClientSecret, "refresh_token", ""), 400, "InvalidGrantException", "invalid_grant"},
		"an access token":   {body(in.ClientID, in.ClientSecret, "refresh_token", in.AccessToken), 400, "InvalidGrantException", "invalid_grant"},
		"of a login's dead": {body(in.ClientID, in.ClientSecret, "refresh_token", dead.RefreshToken), 400, "InvalidGrantException", "invalid_grant"},
	}
	for name, test := range refused {
		status, header, text := ask(t, sso.URL()+"/token", "POST", test.body, "Content-Type", "application/json")
		var out refreshed
		parse(t, text, &out)
		if kind := header.Get("x-amzn-errortype"); status != test.status || kind != test.kind || out.Error != test.code {
			t.Errorf("%s: %d %s %+v, want %d %s", name, status, kind, out, test.status, test.kind)
		}
	}
	if sso.TokenCalls() != len(refused) || sso.TokenRefusals() != len(refused) {
		t.Errorf("%d calls, %d refused", sso.TokenCalls(), sso.TokenRefusals())
	}
	if status, _, _ := refresh(t, sso.URL(), in); status != 200 {
		t.Error("the refusals used the refresh token up")
	}
}

func TestAnSSOFailsAndTakesItsTimeAsItIsTold(t *testing.T) {
	kinds := map[int]string{1: "InternalServerException", 2: "SlowDownException", 3: "TooManyRequestsException", 4: "UnauthorizedException"}
	synctest.Test(t, func(t *testing.T) {
		s, p := New(Options{}), newPipe()
		defer s.Close()
		sso := s.SSO(SSOOptions{
			Fail:  func(n int) string { return kinds[n] },
			Delay: func(n int) time.Duration { return time.Duration(n) * time.Minute },
		})
		sso.Serve(p)
		client := p.client()
		defer client.CloseIdleConnections()
		for n, test := range []struct {
			method, path string
			status       int
		}{
			{"POST", "/token", 500}, {"POST", "/token", 400}, {"GET", "/federation/credentials", 429},
			{"GET", "/federation/credentials", 401}, {"GET", "/federation/credentials", 400}, {"GET", "/token", 404},
		} {
			r, err := http.NewRequestWithContext(t.Context(), test.method, "http://h"+test.path, strings.NewReader(""))
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			response, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			kind := response.Header.Get("x-amzn-errortype")
			if response.StatusCode != test.status || n < 4 && kind != kinds[n+1] {
				t.Errorf("request %d: %d %s", n+1, response.StatusCode, kind)
			}
			if took := time.Since(began); took != time.Duration(n+1)*time.Minute {
				t.Errorf("request %d took %s", n+1, took)
			}
		}
		if sso.TokenCalls() != 2 || sso.TokenRefusals() != 2 || sso.RoleCalls() != 3 {
			t.Errorf("%d calls, %d refused, %d roles", sso.TokenCalls(), sso.TokenRefusals(), sso.RoleCalls())
		}
	})
}

func TestOAuthHasAnErrorForEachType(t *testing.T) {
	for kind, want := range map[string]string{
		"InvalidGrantException": "invalid_grant", "InternalServerException": "server_error", "SlowDownException": "slow_down",
		"AuthorizationPendingException": "authorization_pending", "AccessDeniedException": "access_denied", "ExpiredTokenException": "expired_token",
	} {
		if got := oauthError(kind); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}
