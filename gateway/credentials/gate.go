package credentials

import (
	"context"
	"time"
)

// afterglow is how long what one route's credential_process printed is good for the others that wait to run
// the same: fifty routes with one profile are one prompt, not fifty.
const afterglow = 2 * time.Second

// A gate lets one at a time through.
type gate struct {
	turn  chan struct{} // holds one while somebody is through
	users int           // under Home.mu: through, or waiting
	last  *ran          // of the one who is through
}

// ran is how a credential_process went.
type ran struct {
	at     time.Time
	output []byte
	err    error
}

// enter waits for the caller's turn at the gate of key. The caller calls leave when it is through.
func (h *Home) enter(ctx context.Context, key string) (g *gate, leave func(), err error) {
	g = h.gate(key)
	select {
	case g.turn <- struct{}{}:
		return g, func() { <-g.turn; h.left(g) }, nil
	case <-ctx.Done():
		h.left(g)
		return nil, nil, context.Cause(ctx)
	}
}

// gate is the gate of key, with one user more. Those that nobody uses and that remember nothing are gone.
func (h *Home) gate(key string) *gate {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, g := range h.gates {
		if g.users == 0 && (g.last == nil || time.Since(g.last.at) > afterglow) {
			delete(h.gates, k)
		}
	}
	g := h.gates[key]
	if g == nil {
		g = &gate{turn: make(chan struct{}, 1)}
		h.gates[key] = g
	}
	g.users++
	return g
}

func (h *Home) left(g *gate) {
	h.mu.Lock()
	defer h.mu.Unlock()
	g.users--
}
