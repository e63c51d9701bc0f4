package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
)

// A network is listeners in memory, by address: one that testing/synctest can wait on.
type network struct {
	mu        sync.Mutex
	listeners map[string]*pipeListener
	dials     map[string]int
}

func newNetwork() *network {
	return &network{listeners: map[string]*pipeListener{}, dials: map[string]int{}}
}

// listen opens a listener that is closed when the test ends.
func (n *network) listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l := &pipeListener{address: address, conns: make(chan net.Conn), closed: make(chan struct{})}
	n.mu.Lock()
	n.listeners[address] = l
	n.mu.Unlock()
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// dial connects to a listener; there is no other host in this network.
func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.dials[address]++
	n.mu.Unlock()
	if l == nil {
		return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
	}
	ours, theirs := net.Pipe()
	from := pipeAddr(fmt.Sprintf("127.0.0.1:%d", 1024+n.count()))
	select {
	case l.conns <- &pipeConn{Conn: theirs, from: from}:
		return ours, nil
	case <-l.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// count is how many connections were asked for.
func (n *network) count() (all int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, dials := range n.dials {
		all += dials
	}
	return all
}

// A pipeConn is a connection with an address of its own, as each on a real network has.
type pipeConn struct {
	net.Conn
	from net.Addr
}

func (c *pipeConn) RemoteAddr() net.Addr { return c.from }

// dialed is how many connections to an address were asked for.
func (n *network) dialed(address string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials[address]
}

type pipeListener struct {
	address string
	conns   chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr(l.address) }

type pipeAddr string

func (a pipeAddr) Network() string { return "pipe" }
func (a pipeAddr) String() string  { return string(a) }
