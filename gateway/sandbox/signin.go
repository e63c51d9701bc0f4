package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// SigninOptions shape a Signin. The zero value works.
type SigninOptions struct {
	// Life is how long the credentials live, in whole seconds. Zero: 15 min.
	Life time.Duration

	// Delay is how long the nth request, from 1, takes. Nil: no time.
	Delay func(n int) time.Duration

	// Fail is what the nth request is answered with, whatever it says: an error type, or one of the codes of
	// AccessDeniedException, "USER_CREDENTIALS_CHANGED" for instance. Empty: it is served. Nil: all are.
	Fail func(n int) string
}

// A Signin is the server behind "aws login": it has new credentials for a refresh token, in the hands of who
// proves that the login's key is theirs.
type Signin struct {
	*Server
	options SigninOptions
	door    door
	refresh *rotation
	prover  prover

	mu              sync.Mutex
	calls, refusals int // under mu
}

// Signin makes an AWS Sign-In. It takes requests once its URL was asked for, or on Serve's listeners.
func (s *Sandbox) Signin(o SigninOptions) *Signin {
	if o.Life == 0 {
		o.Life = 15 * time.Minute
	}
	in := &Signin{
		options: o, door: door{delay: o.Delay}, refresh: newRotation(s.secret),
		prover: prover{now: s.now, seen: map[string]bool{}},
	}
	in.Server = s.newServer(in.answer)
	return in
}

// TokenCalls is how many refreshes were asked for.
func (s *Signin) TokenCalls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// TokenRefusals is how many of them were not granted.
func (s *Signin) TokenRefusals() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refusals
}

func (s *Signin) answer(ctx context.Context, r *request, w *response) {
	if path, _, _ := strings.Cut(r.target, "?"); r.method != http.MethodPost || path != "/v1/token" {
		w.refuse(refuse(404, "UnknownOperationException", "There is no %s %s.", r.method, path))
		return
	}
	s.mu.Lock()
	s.calls++
	s.mu.Unlock()
	key, wrong := s.prover.key(r)
	n, ok := s.door.enter(ctx)
	defer s.door.leave()
	if !ok {
		w.broken = true
		return
	}
	failed := ""
	if s.options.Fail != nil {
		failed = s.options.Fail(n)
	}
	switch {
	case failed != "":
		s.refuse(w, failed, "The request was refused.")
	case wrong != "":
		s.refuse(w, "INVALID_REQUEST", "Invalid DPoP proof: "+wrong)
	default:
		s.token(w, r, key)
	}
}

// token is CreateOAuth2Token for whoever holds key.
func (s *Signin) token(w *response, r *request, key string) {
	var in struct {
		ClientID     string `json:"clientId"`
		GrantType    string `json:"grantType"`
		RefreshToken string `json:"refreshToken"`
	}
	err := json.Unmarshal(r.body, &in)
	switch {
	case err != nil || in.ClientID != loginClient || in.RefreshToken == "":
		s.refuse(w, "INVALID_REQUEST", "The request is missing a required parameter, or one is invalid.")
		return
	case in.GrantType != "refresh_token":
		s.refuse(w, "unsupported_grant_type", "The grant type is not supported.")
		return
	}
	holder, ok := s.refresh.use(in.RefreshToken, key)
	if !ok {
		s.refuse(w, "TOKEN_EXPIRED", "The refresh token has expired, or was used.")
		return
	}
	c := s.sandbox.issue(s.sandbox.Identity(holder.identity), "login", s.options.Life)
	w.whole(http.StatusOK, "application/json", marshal(struct {
		AccessToken  loginKeys `json:"accessToken"`
		TokenType    string    `json:"tokenType"`
		ExpiresIn    int       `json:"expiresIn"`
		RefreshToken string    `json:"refreshToken"`
	}{
		loginKeys{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken},
		loginTokenType, int(s.options.Life / time.Second), s.refresh.add(holder),
	}))
}

// refuse answers with a code of OAuth, or an error type.
func (s *Signin) refuse(w *response, what, message string) {
	s.mu.Lock()
	s.refusals++
	s.mu.Unlock()
	no, code := failure(what), oauthError(what)
	switch what {
	case "TOKEN_EXPIRED", "USER_CREDENTIALS_CHANGED", "INSUFFICIENT_PERMISSIONS", "AUTHCODE_EXPIRED":
		no, code = failure("AccessDeniedException"), what
	case "AccessDeniedException":
		code = "TOKEN_EXPIRED"
	case "INVALID_REQUEST", "unsupported_grant_type":
		no, code = failure("ValidationException"), what
	case "TooManyRequestsError":
		code = "rate_exceeded"
	}
	w.whole(no.status, "application/json", marshal(struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}{code, message}), "x-amzn-errortype", no.kind)
}
