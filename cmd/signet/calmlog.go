package main

import (
	"bytes"
	"log/slog"
	"sync"
	"time"
)

// calm is how long net/http is silent after each thing it says.
const calm = time.Second

// A calmLog writes what a server says of its connections, at most a line in each calm: it says the same for
// each connection that it cannot accept, and for each handshake that fails.
type calmLog struct {
	// fixed at build
	log *slog.Logger

	// guarded
	mu     sync.Mutex
	next   time.Time // when it may speak again; under mu
	unsaid int       // lines since it spoke; under mu
}

// Write logs a line, or counts it for the next that is.
func (c *calmLog) Write(line []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Before(c.next) {
		c.unsaid++
		return len(line), nil
	}
	pairs := []any{"says", string(bytes.TrimSpace(line))}
	if c.unsaid > 0 {
		pairs = append(pairs, "unsaid", c.unsaid)
	}
	c.next, c.unsaid = now.Add(calm), 0
	c.log.Warn("a listener is in trouble", pairs...)
	return len(line), nil
}
