package sandbox

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSecretsAreAllThatWasHandedOut(t *testing.T) {
	s := New(Options{})
	temporary, static := s.Issue("a", time.Hour), s.IssueStatic("a")
	sso, in := s.SSO(SSOOptions{}), s.Signin(SigninOptions{})
	all := s.Secrets()
	if !slices.Contains(all, temporary.SecretAccessKey) || !slices.Contains(all, static.SecretAccessKey) {
		t.Error("a secret key is missing")
	}
	found := func(text []byte) (n int) {
		for _, secret := range s.Secrets() {
			if bytes.Contains(text, []byte(secret)) {
				n++
			}
		}
		return n
	}
	if found([]byte(temporary.SessionToken)) != 2 {
		t.Error("a session token is made of something else")
	}
	// An access and a refresh token of two each, and the client's own; a key, its token and a refresh token.
	if n := found(sso.Login()); n != 6 {
		t.Errorf("%d secrets in an SSO login", n)
	}
	if n := found(in.Login("a")); n != 5 {
		t.Errorf("%d secrets in a login", n)
	}
	if strings.Contains(strings.Join(s.Secrets(), ""), temporary.AccessKeyID) {
		t.Error("the id of a key is no secret")
	}
}
