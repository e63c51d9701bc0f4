package sandbox

import (
	"strings"
	"testing"
	"time"
)

func TestAnSSOLoginIsWhatTheCLIWrites(t *testing.T) {
	s := New(Options{Now: noon})
	sso := s.SSO(SSOOptions{StartURL: "https://acme.awsapps.com/start", Region: "eu-west-1", TokenLife: 8 * time.Hour})
	text := sso.Login()
	in := ssoLogin(t, text)
	if in.StartURL != "https://acme.awsapps.com/start" || in.Region != "eu-west-1" || in.AccessToken == "" || in.RefreshToken == "" || in.ClientID == "" || in.ClientSecret == "" {
		t.Errorf("%+v", in)
	}
	if !strings.Contains(string(text), `"expiresAt":"2026-11-24T20:00:00Z"`) || !in.RegistrationExpiresAt.Equal(noon().AddDate(0, 0, 90)) {
		t.Errorf("%s", text)
	}
}

func TestAnSSOLoginHasDefaults(t *testing.T) {
	s := New(Options{Now: noon})
	in := ssoLogin(t, s.SSO(SSOOptions{}).Login())
	if in.StartURL != "https://sandbox.awsapps.com/start" || in.Region != "us-east-1" || !in.ExpiresAt.Equal(noon().Add(time.Hour)) {
		t.Errorf("%+v", in)
	}
}

func TestLoginsOfOneSSOAreApart(t *testing.T) {
	s := New(Options{Now: noon})
	sso := s.SSO(SSOOptions{})
	tokens := map[string]bool{}
	for _, file := range [][]byte{sso.Login(), sso.Login(), sso.LoginExpired(), sso.LoginDead()} {
		in := ssoLogin(t, file)
		tokens[in.AccessToken], tokens[in.RefreshToken] = true, true
	}
	if len(tokens) != 8 {
		t.Errorf("%d tokens of 4 logins", len(tokens))
	}
}

func TestAnExpiredSSOLoginCanBeRefreshedAndADeadOneCannot(t *testing.T) {
	_, sso := newSSO(t, SSOOptions{})
	for name, test := range map[string]struct {
		file   []byte
		ended  bool
		status int
	}{
		"good":    {sso.Login(), false, 200},
		"expired": {sso.LoginExpired(), true, 200},
		"dead":    {sso.LoginDead(), true, 400},
	} {
		in := ssoLogin(t, test.file)
		if ended := in.ExpiresAt.Before(time.Now()); ended != test.ended {
			t.Errorf("%s: it ends at %s", name, in.ExpiresAt)
		}
		if status, _, out := refresh(t, sso.URL(), in); status != test.status {
			t.Errorf("%s: %d %+v", name, status, out)
		}
	}
}
