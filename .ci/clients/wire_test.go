package clients

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A wire is the way to an upstream, which a test can cut.
type wire struct {
	address string

	mu     sync.Mutex
	l      net.Listener      // nil: connections are refused; under mu
	target string            // empty: what is accepted hears nothing; under mu
	conns  map[net.Conn]bool // under mu
}

func newWire(t *testing.T, target string) *wire {
	t.Helper()
	w := &wire{address: "127.0.0.1:0", conns: map[net.Conn]bool{}}
	w.lay(t, target)
	t.Cleanup(func() { w.cut() })
	return w
}

// cut refuses connections and ends those there are.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.l != nil {
		_ = w.l.Close()
		w.l = nil
	}
	for conn := range w.conns {
		_ = conn.Close()
	}
	clear(w.conns)
}

// lay has new connections lead to a target, or to nobody, and ends those there are.
func (w *wire) lay(t *testing.T, target string) {
	t.Helper()
	w.cut()
	l, err := net.Listen("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.l, w.target, w.address = l, target, l.Addr().String()
	w.mu.Unlock()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go w.pass(conn, target)
		}
	}()
}

func (w *wire) pass(conn net.Conn, target string) {
	defer func() { _ = conn.Close() }()
	if target == "" {
		w.hold(conn)
		_, _ = io.Copy(io.Discard, conn)
		return
	}
	onward, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	w.hold(conn)
	w.hold(onward)
	go func() {
		_, _ = io.Copy(onward, conn)
		_ = onward.Close()
	}()
	_, _ = io.Copy(conn, onward)
}

func (w *wire) hold(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[conn] = true
}
