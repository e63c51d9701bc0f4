package sandbox

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// IMDSOptions shape an IMDS. The zero value works.
type IMDSOptions struct {
	// Identity is whose role the instance has. Empty: it has none.
	Identity string

	// Life is how long the credentials live. Zero: an hour.
	Life time.Duration

	// Delay is how long the nth request, from 1, takes. Nil: no time.
	Delay func(n int) time.Duration
}

// An IMDS is an instance's metadata service, version 2 alone: nothing is read without a token of it.
type IMDS struct {
	*Server
	options IMDSOptions
	door    door

	mu     sync.Mutex
	tokens map[string]time.Time // when each ends; under mu
}

// IMDS makes an instance metadata service. It takes requests once its URL was asked for, or on Serve's
// listeners.
func (s *Sandbox) IMDS(o IMDSOptions) *IMDS {
	if o.Life == 0 {
		o.Life = time.Hour
	}
	if o.Identity != "" {
		s.Identity(o.Identity)
	}
	i := &IMDS{options: o, door: door{delay: o.Delay}, tokens: map[string]time.Time{}}
	i.Server = s.newServer(i.answer)
	return i
}

// Requests is how many requests came, those for tokens among them.
func (i *IMDS) Requests() int {
	came, _ := i.door.count()
	return came
}

func (i *IMDS) answer(ctx context.Context, r *request, w *response) {
	const roles = "/latest/meta-data/iam/security-credentials"
	_, ok := i.door.enter(ctx)
	defer i.door.leave()
	rest, under := strings.CutPrefix(r.target, roles)
	role := strings.TrimPrefix(rest, "/")
	switch {
	case !ok:
		w.broken = true
	case r.method == http.MethodPut && r.target == "/latest/api/token":
		i.token(w, r)
	case r.method != http.MethodGet:
		w.whole(http.StatusMethodNotAllowed, "", "", "Allow", "GET, PUT")
	case !i.admits(r.get("x-aws-ec2-metadata-token")):
		w.whole(http.StatusUnauthorized, "text/html", "401 - Unauthorized")
	case !under || i.options.Identity == "" || role != "" && rest != "/"+i.options.Identity:
		w.whole(http.StatusNotFound, "text/html", "404 - Not Found")
	case role == "":
		w.whole(http.StatusOK, "text/plain", i.options.Identity)
	default:
		w.whole(http.StatusOK, "text/plain", i.credentials(w.now()))
	}
}

// token makes a token. A request that some proxy passed on gets none.
func (i *IMDS) token(w *response, r *request) {
	const header = "x-aws-ec2-metadata-token-ttl-seconds"
	seconds, err := strconv.Atoi(r.get(header))
	switch {
	case len(r.all("X-Forwarded-For")) > 0:
		w.whole(http.StatusForbidden, "text/html", "403 - Forbidden")
	case err != nil || seconds < 1 || seconds > 21600:
		w.whole(http.StatusBadRequest, "text/html", "400 - Bad Request")
	default:
		token := i.sandbox.secret()
		i.mu.Lock()
		i.tokens[token] = w.now().Add(time.Duration(seconds) * time.Second)
		i.mu.Unlock()
		w.whole(http.StatusOK, "text/plain", token, header, strconv.Itoa(seconds))
	}
}

// admits reports whether a token is good.
func (i *IMDS) admits(token string) bool {
	now := i.sandbox.now()
	i.mu.Lock()
	defer i.mu.Unlock()
	return now.Before(i.tokens[token])
}

// credentials are new credentials of the instance's role.
func (i *IMDS) credentials(now time.Time) string {
	c := i.sandbox.issue(i.sandbox.Identity(i.options.Identity), "i-0123456789abcdef0", i.options.Life)
	return marshal(struct {
		Code, LastUpdated, Type                         string
		AccessKeyId, SecretAccessKey, Token, Expiration string
	}{
		"Success", now.UTC().Format(time.RFC3339), "AWS-HMAC",
		c.AccessKeyID, c.SecretAccessKey, c.SessionToken, c.Expires.UTC().Format(time.RFC3339Nano),
	})
}
