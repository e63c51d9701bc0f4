package sandbox

import (
	"strings"
	"testing"
	"time"
)

func TestALoginIsWhatTheSDKReads(t *testing.T) {
	s := New(Options{Now: noon})
	signin := s.Signin(SigninOptions{})
	in, private := login(t, signin.Login("dev"))
	set := registered(t, s, "dev", in.AccessToken.AccessKeyID, in.AccessToken.SecretAccessKey, in.AccessToken.SessionToken)
	if !in.AccessToken.ExpiresAt.Equal(noon().Add(15*time.Minute)) || !set.Expires.Equal(in.AccessToken.ExpiresAt) {
		t.Errorf("it ends at %s, its credentials at %s", in.AccessToken.ExpiresAt, set.Expires)
	}
	if in.AccessToken.AccountID != s.Identity("dev").Account || in.TokenType != "aws_sigv4" || in.ClientID != "arn:aws:signin:::devtools/same-device" || in.RefreshToken == "" {
		t.Errorf("%+v", in)
	}
	if strings.Count(in.IdentityToken, ".") != 2 {
		t.Errorf("the identity's token is no JSON Web Token: %s", in.IdentityToken)
	}
	if name := private.Curve.Params().Name; name != "P-256" {
		t.Errorf("a key of %s", name)
	}
}

func TestAnExpiredLoginsKeysAreRefusedAsExpired(t *testing.T) {
	v, _ := newVerifier()
	signin := v.sandbox.Signin(SigninOptions{})
	newest := v.sandbox.Issue("dev", time.Hour)
	for name, file := range map[string][]byte{"expired": signin.LoginExpired("dev"), "dead": signin.LoginDead("dev")} {
		in, _ := login(t, file)
		keys := in.AccessToken
		c := registered(t, v.sandbox, "dev", keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken)
		if got := honoured(t, v, c); got != "ExpiredTokenException" || !keys.ExpiresAt.Equal(noon().Add(-time.Minute)) {
			t.Errorf("%s: %q, it ends at %s", name, got, keys.ExpiresAt)
		}
	}
	if got := honoured(t, v, newest); got != "" {
		t.Errorf("a login that ended long ago replaces a newer set: %s", got)
	}
}

func TestALoginsKeyHasNoShortCoordinate(t *testing.T) {
	for range 2000 { // one of 128 keys has one
		if _, public := loginKey(); len(public) != 64 || public[0] == 0 || public[32] == 0 {
			t.Fatalf("%x", public)
		}
	}
}
