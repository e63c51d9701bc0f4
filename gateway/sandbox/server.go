package sandbox

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"
)

// A Server is one server of a Sandbox.
type Server struct {
	sandbox *Sandbox
	handle  func(context.Context, *request, *response)

	ctx    context.Context
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu        sync.Mutex
	listeners []net.Listener        // under mu
	conns     map[net.Conn]struct{} // under mu
	accepted  int                   // under mu
}

// newServer makes a server that listens nowhere yet.
func (s *Sandbox) newServer(handle func(context.Context, *request, *response)) *Server {
	server := &Server{sandbox: s, handle: handle, conns: map[net.Conn]struct{}{}}
	server.ctx, server.cancel = context.WithCancel(context.Background())
	s.mu.Lock()
	s.servers = append(s.servers, server)
	s.mu.Unlock()
	return server
}

// URL is where the server listens, on loopback: http://127.0.0.1:port. The first call opens the listener.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listeners) == 0 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic("sandbox: " + err.Error()) // loopback has no port left
		}
		s.serve(l)
	}
	return "http://" + s.listeners[0].Addr().String()
}

// Serve serves on a listener of the caller's, one in memory for instance, until the server is closed.
func (s *Server) Serve(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serve(l)
}

// serve accepts in the background. s.mu is held.
func (s *Server) serve(l net.Listener) {
	s.listeners = append(s.listeners, l)
	if s.ctx.Err() != nil {
		_ = l.Close()
		return
	}
	s.ended.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			if s.ctx.Err() != nil {
				s.mu.Unlock()
				_ = conn.Close()
				return
			}
			s.accepted++
			s.conns[conn] = struct{}{}
			s.ended.Go(func() { s.converse(conn) })
			s.mu.Unlock()
		}
	})
}

// Accepted is how many connections were opened to the server.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Close ends the server and its connections, and waits for what it runs.
func (s *Server) Close() {
	s.mu.Lock()
	s.cancel()
	for _, l := range s.listeners {
		_ = l.Close()
	}
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.ended.Wait()
}

// converse answers the requests of a connection, one after the other.
func (s *Server) converse(conn net.Conn) {
	defer func() {
		_ = conn.Close()
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	}()
	from, to := bufio.NewReader(conn), bufio.NewWriter(conn)
	for s.ctx.Err() == nil {
		r, err := readRequest(from)
		w := &response{to: to, now: s.sandbox.now, id: s.sandbox.requestID()}
		if bad, ok := errors.AsType[*malformed](err); ok {
			w.whole(bad.status, "text/plain", bad.what, "Connection", "close")
		}
		if err != nil {
			return
		}
		ctx, stop := s.watch(conn, from)
		s.handle(ctx, r, w)
		stop()
		if w.broken || strings.EqualFold(r.get("Connection"), "close") {
			return
		}
	}
}

// watch makes a context that ends when the client leaves. stop ends the watching, and leaves what was read
// of the next request in from.
func (s *Server) watch(conn net.Conn, from *bufio.Reader) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	done := make(chan struct{})
	stopping := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := from.Peek(1); err != nil {
			select {
			case <-stopping: // our own deadline
			default:
				cancel()
			}
		}
	}()
	return ctx, func() {
		close(stopping)
		_ = conn.SetReadDeadline(time.Unix(1, 0))
		<-done
		_ = conn.SetReadDeadline(time.Time{})
		cancel()
	}
}

// pause waits, and reports false when the client left meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
