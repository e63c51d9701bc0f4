package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

const callOfOne = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}`

// post sends a call under a Host and returns the answer, whose body the caller closes.
func (c *tlsCaller) post(url, host string) *http.Response {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, url, strings.NewReader(callOfOne))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Host = host
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	answer, err := c.transport.RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer
}

// secureDaemon serves the route "one" over https, from an upstream of the test's own.
func secureDaemon(t *testing.T, ca *authority, upstream http.Handler) (d *daemon, url string) {
	t.Helper()
	s := httptest.NewServer(upstream)
	t.Cleanup(s.Close)
	dir := t.TempDir()
	ca.save(dir, 101)
	text := fmt.Sprintf("tls: { cert_file: %[1]s/cert.pem, key_file: %[1]s/key.pem }\nlisten: [\"127.0.0.1:0\"]\n", dir)
	d, _ = startDaemon(t, text+strings.Replace(oneRoute, "http://127.0.0.1:1", s.URL, 1))
	return d, strings.Replace(d.listeners.urls()[0], "127.0.0.1", "localhost", 1)
}

func TestEventsOfACallReachAClientOneByOneOverHTTP2(t *testing.T) {
	ca, events := newAuthority(t), make(chan string)
	_, url := secureDaemon(t, ca, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for event := range events {
			_, _ = fmt.Fprintf(w, "data: %s\n\n", event)
			_ = http.NewResponseController(w).Flush()
		}
	}))
	answers := make(chan *http.Response, 1)
	go func() { answers <- newTLSCaller(t, ca, true).post(url+"/one", "") }()
	var read *bufio.Reader
	for i, event := range []string{
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}`,
		`{"jsonrpc":"2.0","id":1,"result":{}}`,
	} {
		events <- event // the next only once this one has arrived
		if i == 0 {
			answer := <-answers
			defer answer.Body.Close()
			if read = bufio.NewReader(answer.Body); answer.ProtoMajor != 2 {
				t.Errorf("answered over %s", answer.Proto)
			}
		}
		for line := ""; !strings.Contains(line, event); {
			var err error
			if line, err = read.ReadString('\n'); err != nil {
				t.Fatalf("event %d: %v", i, err)
			}
		}
	}
	close(events)
}

func TestHostIsGuardedOverHTTP2AsElsewhere(t *testing.T) {
	ca := newAuthority(t)
	_, url := secureDaemon(t, ca, answer(`{"jsonrpc":"2.0","id":1,"result":{}}`))
	for _, http2 := range []bool{false, true} {
		c := newTLSCaller(t, ca, http2)
		for host, want := range map[string]int{"": 200, "evil.example": 403, "evil.example:8443": 403} {
			answer := c.post(url+"/one", host)
			_ = answer.Body.Close()
			if answer.StatusCode != want {
				t.Errorf("%s, Host %q: status %d, want %d", answer.Proto, host, answer.StatusCode, want)
			}
		}
	}
}

func TestReloadTakesUpARenewedCertificateAndKeepsTheOldOneIfItIsBad(t *testing.T) {
	ca := newAuthority(t)
	d, url := secureDaemon(t, ca, answer(""))
	dir := filepath.Dir(d.current.TLS.CertFile)
	serial := func() int64 {
		t.Helper()
		c := newTLSCaller(t, ca, true)
		c.get(url + "/-/healthy")
		return c.serial
	}
	ca.save(dir, 102)
	if _, err := d.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 102 {
		t.Errorf("certificate %d after it was renewed", got)
	}
	write(t, filepath.Join(dir, "key.pem"), "half a key")
	if _, err := d.reload(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate and key do not fit") {
		t.Errorf("a bad pair: %v", err)
	}
	if got := serial(); got != 102 {
		t.Errorf("certificate %d after a bad one", got)
	}
}

func TestRenewedCertificateFileIsTakenUpWithoutBeingAskedFor(t *testing.T) {
	ca := newAuthority(t)
	d, url := secureDaemon(t, ca, answer(""))
	told := make(chan reloaded, 9)
	d.told = func(r reloaded) { told <- r }
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.loop(ctx) }()
	ca.save(filepath.Dir(d.current.TLS.CertFile), 102)
	for r := range told {
		if r.err == nil { // else the loop looked between the two files
			if len(r.changes.Kept) != 1 || len(r.changes.Gateway) != 1 || r.changes.Gateway[0] != "tls" {
				t.Errorf("changes %+v, want tls alone", r.changes)
			}
			break
		}
	}
	c := newTLSCaller(t, ca, true)
	if c.get(url + "/-/healthy"); c.serial != 102 {
		t.Errorf("certificate %d", c.serial)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
