package gateway

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// errPoolClosed says that a connection was made for calls that have all left.
var errPoolClosed = errors.New("the pool is closed")

// A dialer opens a connection.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// connections are those a pool has open.
type connections struct {
	// fixed at build
	dialer dialer

	// guarded
	mu     sync.Mutex
	open   map[*connection]struct{} // under mu
	closed bool                     // under mu
}

// newConnections opens none. dial may be nil; limit bounds each dial.
func newConnections(dial dialer, limit time.Duration) *connections {
	if dial == nil {
		// Probing from 15 s on finds a dead peer in 30 s; Go's default does not in 25 s of a stream.
		dial = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
		}}).DialContext
	}
	return &connections{dialer: dial.within(limit), open: map[*connection]struct{}{}}
}

// within bounds each dial. net/http dials in a goroutine of its own, where a panic would end the process.
func (d dialer) within(limit time.Duration) dialer {
	return func(ctx context.Context, network, address string) (_ net.Conn, err error) {
		defer rescue(&err)
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return d(ctx, network, address)
	}
}

// dial opens one more.
func (cs *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := cs.dialer(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: conn, of: cs}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed {
		_ = conn.Close()
		return nil, errPoolClosed
	}
	cs.open[c] = struct{}{}
	return c, nil
}

// count is how many are open.
func (cs *connections) count() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.open)
}

// close closes those that are open, and each that is still being dialled.
func (cs *connections) close() {
	cs.mu.Lock()
	cs.closed = true
	open := slices.Collect(maps.Keys(cs.open))
	cs.mu.Unlock()
	for _, c := range open {
		_ = c.Close() // nobody is left to be told
	}
}

// A connection is one of some connections until it is closed.
type connection struct {
	net.Conn
	of *connections
}

// Close closes the connection.
func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
