package clients

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// A hop stands between a client and what it calls. It passes every byte on as it is, and remembers what was
// asked for.
type hop struct {
	net.Listener
	target string

	mu   sync.Mutex
	seen []string // method and path of each request; under mu
}

func newHop(t *testing.T, target string) *hop {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	h := &hop{Listener: l, target: target}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go h.pass(conn)
		}
	}()
	return h
}

func (h *hop) pass(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	onward, err := net.Dial("tcp", h.target)
	if err != nil {
		return
	}
	copied, note := io.Pipe()
	go h.read(copied)
	go func() {
		_, _ = io.Copy(onward, io.TeeReader(conn, note))
		_ = note.Close()
		_ = onward.Close()
	}()
	_, _ = io.Copy(conn, onward)
}

// read notes requests, and takes what it cannot read so that nobody waits for it.
func (h *hop) read(sent io.Reader) {
	requests := bufio.NewReader(sent)
	for {
		r, err := http.ReadRequest(requests)
		if err != nil {
			_, _ = io.Copy(io.Discard, sent)
			return
		}
		h.mu.Lock()
		h.seen = append(h.seen, r.Method+" "+r.URL.Path)
		h.mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

// probes are the requests that were for OAuth: whatever is not for a route. requests is how many there were.
func (h *hop) probes() (probes []string, requests int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, line := range h.seen {
		_, path, _ := strings.Cut(line, " ")
		if strings.Contains(path, ".well-known") || strings.Count(path, "/") != 1 ||
			path == "/register" || path == "/authorize" || path == "/token" || path == "/" {
			probes = append(probes, line)
		}
	}
	return probes, len(h.seen)
}

// url is where a route is reached through the hop.
func (h *hop) url(route string) string { return "http://" + h.Addr().String() + "/" + route }
