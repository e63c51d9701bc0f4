package main

import (
	"net"
	"net/http"
	"sync"
)

// busy are the connections of a server that have a request under way.
type busy struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{} // under mu
}

// note is the ConnState of a server.
func (b *busy) note(c net.Conn, s http.ConnState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s != http.StateActive {
		delete(b.conns, c)
		return
	}
	if b.conns == nil {
		b.conns = map[net.Conn]struct{}{}
	}
	b.conns[c] = struct{}{}
}

// count is how many there are.
func (b *busy) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.conns)
}
