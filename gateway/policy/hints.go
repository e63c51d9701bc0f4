package policy

import (
	"sync"
	"time"
)

const (
	// hintsLast is how long what a list said of a tool is relied on before the upstream is asked again.
	hintsLast = 5 * time.Minute

	// maxHints is how many tools are remembered. There is none of more.
	maxHints = 10_000
)

// Hints are what the lists of an upstream said last of its tools: which say that they only read, and which are not what
// was accepted of them. They may be used at once by many. The zero value knows nothing.
type Hints struct {
	mu    sync.Mutex
	tools map[string]hint // under mu
	since time.Time       // older ones are to be asked for again; under mu
}

// A hint is what a list said of a tool.
type hint struct {
	readOnly bool
	drift    Drift
	at       time.Time
}

// See notes what a list said of a tool at now.
func (h *Hints) See(name string, readOnly bool, drift Drift, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tools == nil {
		h.tools = map[string]hint{}
	}
	if _, known := h.tools[name]; known || len(h.tools) < maxHints {
		h.tools[name] = hint{readOnly, drift, now}
	}
}

// Complete notes that a list that began at a time and named every tool is done: there are no tools that were
// seen last before it.
func (h *Hints) Complete(began time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, seen := range h.tools {
		if seen.at.Before(began) {
			delete(h.tools, name)
		}
	}
}

// Changed notes that the upstream said that its tools are others from now on.
func (h *Hints) Changed(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since = now
}

// of is what is known of a tool at now, and not too old.
func (h *Hints) of(name string, now time.Time) (hint, bool) {
	seen, ok := h.last(name)
	return seen, ok && now.Sub(seen.at) < hintsLast
}

// last is what the last list that named a tool said of it, however long ago that is, unless the upstream has said
// since that its tools are others.
func (h *Hints) last(name string) (hint, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	seen, ok := h.tools[name]
	return seen, ok && seen.at.After(h.since)
}
