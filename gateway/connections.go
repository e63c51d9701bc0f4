package gateway

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
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

// newConnections opens none. dial may be nil; limit bounds each dial. All go to the one address at, if it is not
// empty, whatever they are for.
func newConnections(dial dialer, limit time.Duration, at string) *connections {
	if dial == nil {
		dial = dialTCP
	}
	if at != "" {
		dial = dial.only(at)
	}
	return &connections{dialer: dial.within(limit), open: map[*connection]struct{}{}}
}

// dialTCP opens a connection that finds out within 30 s that its peer is gone: by probes while it is silent (Go's
// default does not in 25 s of a stream), by unacknowledged bytes while it is not.
func dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control:         boundUnacknowledged,
	}
	return d.DialContext(ctx, network, address)
}

// only dials one address whatever it is asked for.
func (d dialer) only(at string) dialer {
	return func(ctx context.Context, network, _ string) (net.Conn, error) { return d(ctx, network, at) }
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

// use is how many are open and carry a request, and how many wait for one.
func (cs *connections) use() (active, idle int) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for c := range cs.open {
		if c.users.Load() > 0 {
			active++
		}
	}
	return active, len(cs.open) - active
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

// maxAlert is more than a TLS alert has, which closing a connection writes, and less than any request.
const maxAlert = 64

// A connection is one of some connections until it is closed.
type connection struct {
	net.Conn
	of *connections

	look  sync.Once    // at what was negotiated
	many  atomic.Bool  // it carries several requests at once: HTTP/2
	sent  atomic.Int64 // writes longer than maxAlert of which the peer may have got something
	users atomic.Int32 // requests it carries
}

// Write writes, and notes whether the peer may have got something.
func (c *connection) Write(p []byte) (int, error) {
	if len(p) <= maxAlert {
		return c.Conn.Write(p)
	}
	c.sent.Add(1) // before, for the peer may answer or leave before Write returns
	n, err := c.Conn.Write(p)
	if n == 0 {
		c.sent.Add(-1)
	}
	return n, err
}

// Close closes the connection.
func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
