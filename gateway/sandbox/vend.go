package sandbox

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// VendOptions shape a vending server.
type VendOptions struct {
	// Life is how long the credentials say that they live. Zero: an hour.
	Life time.Duration

	// Delay is how long the nth request, from 1, takes. Nil: no time.
	Delay func(n int) time.Duration
}

// Vend makes a server whose GET /<identity> hands out new credentials of the identity, as the JSON that a
// credential_process has to print. It asks nobody who they are.
func (s *Sandbox) Vend(o VendOptions) *Server {
	if o.Life == 0 {
		o.Life = time.Hour
	}
	in := &door{delay: o.Delay}
	return s.newServer(func(ctx context.Context, r *request, w *response) {
		_, ok := in.enter(ctx)
		defer in.leave()
		identity := strings.TrimPrefix(r.target, "/")
		switch {
		case !ok:
			w.broken = true
		case r.method != http.MethodGet:
			w.whole(http.StatusMethodNotAllowed, "", "", "Allow", "GET")
		case identity == "" || strings.ContainsAny(identity, "/?%"):
			w.whole(http.StatusNotFound, "text/plain", "the path is the name of an identity")
		default:
			w.whole(http.StatusOK, "application/json", s.vend(identity, o.Life), "Cache-Control", "no-store")
		}
	})
}

// vend is new credentials as a credential_process prints them.
func (s *Sandbox) vend(identity string, life time.Duration) string {
	c := s.Issue(identity, life)
	return marshal(struct {
		Version                                                int
		AccessKeyId, SecretAccessKey, SessionToken, Expiration string
	}{1, c.AccessKeyID, c.SecretAccessKey, c.SessionToken, c.Expires.UTC().Format(time.RFC3339Nano)})
}
