package sandbox

import "sync"

// A rotation is refresh tokens of which each is good for one use. It is safe for concurrent use.
type rotation struct {
	secret func() string

	mu   sync.Mutex
	live map[string]grant // by token; under mu
}

// A grant is what a refresh token refreshes.
type grant struct {
	identity string // whose credentials; "": the token has no say in that
	key      string // the public key that must prove each use; "": none
}

func newRotation(secret func() string) *rotation {
	return &rotation{secret: secret, live: map[string]grant{}}
}

// add is a new token.
func (r *rotation) add(g grant) string {
	token := "aor" + r.secret() + r.secret()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live[token] = g
	return token
}

// use ends a token, and is what it was for. It reports false when it was used before, was never made, or is
// bound to another key: then it is as it was.
func (r *rotation) use(token, key string) (grant, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, ok := r.live[token]
	if !ok || g.key != key {
		return grant{}, false
	}
	delete(r.live, token)
	return g, true
}
