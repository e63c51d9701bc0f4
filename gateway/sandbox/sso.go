package sandbox

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// SSOOptions shape an SSO. The zero value works.
type SSOOptions struct {
	// StartURL and Region are what a login says it was for. Empty: https://sandbox.awsapps.com/start and
	// us-east-1.
	StartURL, Region string

	// TokenLife is how long an access token lives, in whole seconds, and Life how long the credentials of a role
	// do. Zero: an hour.
	TokenLife, Life time.Duration

	// Delay is how long the nth request, from 1, takes. Nil: no time.
	Delay func(n int) time.Duration

	// Fail is the error type that the nth request is answered with, "InternalServerException" for instance,
	// whatever it asks for. Empty: it is served. Nil: all are.
	Fail func(n int) string
}

// An SSO is IAM Identity Center: in one server its OIDC, which refreshes access tokens, and its portal, where
// they are worth the credentials of every identity's role. A role has the name of its identity.
type SSO struct {
	*Server
	options          SSOOptions
	clientID, secret string // of the client that logged in
	door             door
	refresh          *rotation

	mu                                   sync.Mutex
	access                               map[string]time.Time // when each access token ends; under mu
	tokenCalls, tokenRefusals, roleCalls int                  // under mu
}

// SSO makes an IAM Identity Center. It takes requests once its URL was asked for, or on Serve's listeners.
func (s *Sandbox) SSO(o SSOOptions) *SSO {
	if o.StartURL == "" {
		o.StartURL = "https://sandbox.awsapps.com/start"
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.TokenLife == 0 {
		o.TokenLife = time.Hour
	}
	if o.Life == 0 {
		o.Life = time.Hour
	}
	sso := &SSO{
		options: o, clientID: letters(22), secret: s.secret() + s.secret(),
		door: door{delay: o.Delay}, refresh: newRotation(s.secret), access: map[string]time.Time{},
	}
	sso.Server = s.newServer(sso.answer)
	return sso
}

// TokenCalls is how many refreshes were asked for.
func (s *SSO) TokenCalls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokenCalls
}

// TokenRefusals is how many of them were not granted.
func (s *SSO) TokenRefusals() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokenRefusals
}

// RoleCalls is how often a role's credentials were asked for.
func (s *SSO) RoleCalls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.roleCalls
}

// Cancel ends all access tokens now, whatever the files of their logins say. Refresh tokens stay good.
func (s *SSO) Cancel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// newAccess is a new access token and when it ends.
func (s *SSO) newAccess(life time.Duration) (token string, end time.Time) {
	token, end = "aoa"+s.sandbox.secret()+s.sandbox.secret(), s.sandbox.now().Add(life)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access[token] = end
	return token, end
}

// admits reports whether an access token is good.
func (s *SSO) admits(token string) bool {
	now := s.sandbox.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	end, ok := s.access[token]
	return ok && !now.After(end) // a client takes it for good in its last moment
}

func (s *SSO) answer(ctx context.Context, r *request, w *response) {
	path, query, _ := strings.Cut(r.target, "?")
	token, role := r.method == http.MethodPost && path == "/token", r.method == http.MethodGet && path == "/federation/credentials"
	s.count(token, role)
	n, ok := s.door.enter(ctx)
	defer s.door.leave()
	if !ok {
		w.broken = true
		return
	}
	var no *refusal
	if s.options.Fail != nil {
		if kind := s.options.Fail(n); kind != "" {
			no = failure(kind)
		}
	}
	switch {
	case token:
		s.token(w, r, no)
	case no != nil:
		w.refuse(no)
	case role:
		s.role(w, r.get("x-amz-sso_bearer_token"), query)
	default:
		w.refuse(refuse(404, "UnknownOperationException", "There is no %s %s.", r.method, path))
	}
}

// count counts a request by what it is for.
func (s *SSO) count(token, role bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if token {
		s.tokenCalls++
	}
	if role {
		s.roleCalls++
	}
}
