package main

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// serving is a server in memory that answers 204, and how to reach it.
func serving(t *testing.T, log *slog.Logger) *pipes {
	t.Helper()
	s, l := newServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }), log), newPipes(t)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-time.After(time.Second) // net/http lingers on a connection that it did not read
	})
	return l
}

// hear is the answer to raw bytes on a connection of its own; not all of them may be read.
func hear(l *pipes, raw string) (*http.Response, string, error) {
	conn := l.dial()
	defer conn.Close()
	go func() { _, _ = io.WriteString(conn, raw) }()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(answer.Body)
	return answer, string(body), err
}

// Row L04, the headers; gateway has the body. What they hold up in simulated time is nobody.
func TestFault_L04_HeadersThatComeTooSlowlyEndTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 2000
		l := serving(t, slog.New(slog.DiscardHandler))
		began := time.Now()
		var slow sync.WaitGroup
		for range clients {
			conn := l.dial()
			slow.Go(func() {
				for _, one := range []byte("POST /r HTTP/1.1\r\nHost: x\r\nX-Slow: ") {
					if _, err := conn.Write([]byte{one}); err != nil {
						return
					}
					<-time.After(5 * time.Second)
				}
			})
			slow.Go(func() {
				said, err := io.ReadAll(conn) // net/http says 400 where it had got the first line
				if took := time.Since(began); err != nil || took < 10*time.Second || took > 11*time.Second {
					t.Errorf("it ends after %s with %v, want 10 s", took, err)
				}
				if strings.Contains(string(said), " 204 ") {
					t.Errorf("it was answered: %s", said)
				}
			})
		}
		<-time.After(time.Second)
		asked := time.Now()
		answer, _, err := hear(l, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if err != nil || answer.StatusCode != 204 || time.Since(asked) != 0 {
			t.Errorf("another client: %v after %s", err, time.Since(asked))
		}
		slow.Wait()
	})
}

func TestServerNeverCutsAStream(t *testing.T) {
	s := newServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if s.WriteTimeout != 0 || s.ReadTimeout != 0 {
		t.Errorf("write timeout %v, read timeout %v: both end event streams", s.WriteTimeout, s.ReadTimeout)
	}
	if s.ReadHeaderTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes == 0 {
		t.Errorf("a wait or a size has no bound: %+v", s)
	}
}

// A starving listener fails to accept, as one without file descriptors, until it is fed.
type starving struct {
	net.Listener
	fed chan struct{}
}

func (l starving) Accept() (net.Conn, error) {
	select {
	case <-l.fed:
		return l.Listener.Accept()
	default:
		return nil, tooManyFiles{}
	}
}

type tooManyFiles struct{}

func (tooManyFiles) Error() string   { return "accept: too many open files" }
func (tooManyFiles) Timeout() bool   { return false }
func (tooManyFiles) Temporary() bool { return true }

// Row P01, in simulated time: net/http tries again up to two hundred times a second, and tells each time.
func TestFault_P01_TroubleWithConnectionsIsToldOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, fed := new(logText), make(chan struct{})
		s, l := newServer(http.NotFoundHandler(), slog.New(slog.NewJSONHandler(out, nil))), newPipes(t)
		ended := make(chan error)
		go func() { ended <- s.Serve(starving{l, fed}) }()
		<-time.After(time.Minute)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) < 10 || len(lines) > 61 || !strings.Contains(lines[0], "too many open files") {
			t.Errorf("%d lines in a minute: %s", len(lines), out)
		}
		if !strings.Contains(lines[1], `"unsaid":`) {
			t.Errorf("%s does not say how much was left out", lines[1])
		}
		close(fed)
		asked := time.Now()
		if _, _, err := hear(l, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil || time.Since(asked) > 1200*time.Millisecond {
			t.Errorf("%v, %s after there were descriptors again", err, time.Since(asked))
		}
		_ = s.Close()
		<-ended
	})
}
