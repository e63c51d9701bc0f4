//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A process is a signet that runs by itself.
type process struct {
	*exec.Cmd
	address string // of its listener
	log     *logText
	home    string
	ended   chan int // gets the exit code

	attendance *attendance // nil: no fault is played
}

// serve starts it and waits until it says where it serves.
func (p *process) serve(t *testing.T) {
	t.Helper()
	out, in, err := os.Pipe() // not a StdoutPipe, of which the end is lost when the process is waited for
	if err != nil {
		t.Fatal(err)
	}
	p.Stdout = in
	p.start(t)
	_ = in.Close()
	lines, served := bufio.NewReader(out), false
	for line := "\n"; !served && strings.HasSuffix(line, "\n"); {
		line, _ = lines.ReadString('\n')
		_, rest, found := strings.Cut(line, "http://")
		p.address, _, _ = strings.Cut(strings.TrimSpace(rest), "/")
		served = found || strings.Contains(line, "unix://")
	}
	p.attendance.keep(lines)
	if !served {
		t.Fatalf("it did not serve: exit %d, %s", <-p.ended, p.log)
	}
}

// begin makes a process that is not started yet, in a home of its own.
func begin(t *testing.T, before, text string) *process {
	t.Helper()
	home, err := os.MkdirTemp("", "signet-test-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	write(t, filepath.Join(home, "signet.yaml"), text)
	return again(t, home, before)
}

// again makes another process on the files of one.
func again(t *testing.T, home, before string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command("sh", "-c", before+" exec signet run -c signet.yaml"), log: new(logText), home: home, ended: make(chan int, 1)}
	p.Dir, p.Stderr = home, p.log
	p.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_RUNTIME_DIR=" + home, "TMPDIR=" + home, "AWS_EC2_METADATA_DISABLED=true", "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(home, "credentials")}
	return p
}

// start starts it. It is killed with the test.
func (p *process) start(t *testing.T) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = p.Wait()
		p.ended <- p.ProcessState.ExitCode()
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-exited
	})
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// A caller is a client on one connection, which is there from the start and accepted: one that the kernel still holds
// for a listener is reset when that closes, so nobody who signals the process may be on it.
type caller struct {
	*http.Client
	address string
	witness *attendance
}

// caller connects, and has its connection answered.
func (p *process) caller(t *testing.T) *caller {
	t.Helper()
	c := p.dial(t)
	if got := c.page("/-/healthy"); got != http.StatusOK {
		t.Fatalf("/-/healthy: %d", got)
	}
	return c
}

// dial connects; the process may be yet to accept it.
func (p *process) dial(t *testing.T) *caller {
	t.Helper()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	conns := make(chan net.Conn, 1)
	conns <- conn
	return &caller{address: p.address, witness: p.attendance, Client: &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			select {
			case c := <-conns:
				return c, nil
			default:
				return nil, errors.New("its connection has ended")
			}
		},
	}}}
}

// call posts a message to a route and is the status and the body of the answer, or what went wrong.
func (c *caller) call(route, message string) string {
	status, body, err := request(c.Client, http.MethodPost, "http://"+c.address+"/"+route, bearer, message)
	if err != nil {
		return err.Error()
	}
	c.witness.heard(route, body)
	return fmt.Sprint(status, " ", body)
}

// page is the status of a page.
func (c *caller) page(path string) int {
	status, _, _ := request(c.Client, http.MethodGet, "http://"+c.address+path, "", "")
	return status
}

// becomes waits until something is so.
func becomes(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("still not so after %v: %s", patience, what)
		}
	}
}

// A holding is an upstream: "/quick" answers at once, "/json" and "/stream" when they are let, the stream with an
// event before.
type holding struct {
	arrived chan struct{} // gets one for each call that is held
	answer  chan struct{} // lets one answer
}

func (h *holding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	answer := aResult
	switch r.URL.Path {
	case "/quick":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
		return
	case "/stream":
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n")
		_ = http.NewResponseController(w).Flush()
		answer = "data: " + answer + "\n\n"
	default:
		w.Header().Set("Content-Type", "application/json")
	}
	h.arrived <- struct{}{}
	select {
	case <-h.answer:
		_, _ = io.WriteString(w, answer)
	case <-r.Context().Done():
	}
}

// holdAll is a holding and its URL. It ends after the processes that begin later.
func holdAll(t *testing.T) (*holding, string) {
	t.Helper()
	h := &holding{arrived: make(chan struct{}), answer: make(chan struct{})}
	up := httptest.NewServer(h)
	t.Cleanup(up.Close)
	return h, up.URL
}

// routes is a config with the routes quick, json and stream of an upstream.
func routes(upstream, more string) string {
	route := func(name string) string {
		return fmt.Sprintf("  %s: { upstream: \"%s/%s\", upstream_auth: none }\n", name, upstream, name)
	}
	return `listen: ["127.0.0.1:0"]` + "\nauth: { mode: none }\n" + more + "\nroutes:\n" + route("quick") + route("json") + route("stream")
}
