package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"testing"
	"time"

	"signet/config"
)

// use applies a tls block at one address, as a reload does.
func (ls *listeners) use(t *testing.T, h http.Handler, address string, secure config.ListenTLS) string {
	t.Helper()
	b, err := ls.prepare([]string{address}, secure)
	if err != nil {
		t.Fatal(err)
	}
	b.commit(h, time.Minute)
	return strings.Replace(ls.urls()[0], "127.0.0.1", "localhost", 1)
}

// A tlsCaller calls with a Transport of its own, and knows which certificate it was last answered with, and
// whether by a new connection.
type tlsCaller struct {
	t         *testing.T
	transport *http.Transport
	fresh     bool
	serial    int64 // 0: http
	proto     string
	closes    bool
}

func newTLSCaller(t *testing.T, trusted *authority, http2 bool, own ...tls.Certificate) *tlsCaller {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(trusted.cert)
	c := &tlsCaller{t: t, transport: &http.Transport{
		ForceAttemptHTTP2: http2, TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: own, ClientSessionCache: tls.NewLRUClientSessionCache(8)},
	}}
	t.Cleanup(c.transport.CloseIdleConnections)
	return c
}

// open sends a GET and returns the body to read.
func (c *tlsCaller) open(url string) (io.ReadCloser, error) {
	c.t.Helper()
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { c.fresh = !i.Reused }}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(c.t.Context(), trace), http.MethodGet, url, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	answer, err := c.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	c.serial, c.proto, c.closes = 0, answer.Proto, answer.Close
	if answer.TLS != nil {
		c.serial = answer.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	return answer.Body, nil
}

// get is what open reads, all of it.
func (c *tlsCaller) get(url string) string {
	c.t.Helper()
	body, err := c.open(url)
	if err != nil {
		c.t.Fatal(err)
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// streaming answers /stream with a line for each value sent to lines, and anything else with "served".
func streaming(lines <-chan string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/stream" {
			_, _ = io.WriteString(w, "served")
			return
		}
		_ = http.NewResponseController(w).Flush()
		for line := range lines {
			_, _ = io.WriteString(w, line+"\n")
			_ = http.NewResponseController(w).Flush()
		}
	})
}

func TestRenewedCertificateDropsNoConnection(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		ca, lines := newAuthority(t), make(chan string)
		ls := newTestListeners(t)
		url := ls.use(t, streaming(lines), "127.0.0.1:0", ca.listenTLS(101, nil))
		socket := ls.open["127.0.0.1:0"]
		streamer, caller := newTLSCaller(t, ca, http2), newTLSCaller(t, ca, http2)
		stream, err := streamer.open(url + "/stream")
		if err != nil {
			t.Fatal(err)
		}
		if caller.get(url); caller.serial != 101 {
			t.Fatalf("certificate %d before", caller.serial)
		}
		ls.use(t, nil, "127.0.0.1:0", ca.listenTLS(102, nil))
		if ls.open["127.0.0.1:0"] != socket {
			t.Error("the socket was bound anew")
		}
		if got := caller.get(url); got != "served" || caller.fresh || caller.closes || caller.serial != 101 {
			t.Errorf("the open connection got %q: %+v", got, caller)
		}
		newcomer := newTLSCaller(t, ca, http2)
		if newcomer.get(url); newcomer.serial != 102 {
			t.Errorf("a new connection got certificate %d", newcomer.serial)
		}
		if (newcomer.proto == "HTTP/2.0") != http2 {
			t.Errorf("protocol %s, want HTTP/2: %v", newcomer.proto, http2)
		}
		read := bufio.NewReader(stream)
		for _, want := range []string{"after", "and again"} {
			lines <- want
			if got, err := read.ReadString('\n'); got != want+"\n" {
				t.Errorf("the open stream got %q, %v", got, err)
			}
		}
		close(lines)
		_ = stream.Close()
	}
}

func TestSameCertificateLetsSessionsBeResumed(t *testing.T) {
	ca, ls := newAuthority(t), newTestListeners(t)
	secure := ca.listenTLS(101, nil)
	ls.use(t, answer(""), "127.0.0.1:0", secure)
	before := ls.terms
	if ls.use(t, answer(""), "127.0.0.1:0", secure); ls.terms != before {
		t.Error("a reload that changed nothing of tls made other terms, with other session keys")
	}
}

// The socket stays; each connection is what it was when it was accepted.
func TestHTTPSBeginsAndEndsAtAnAddressThatStays(t *testing.T) {
	ca, lines := newAuthority(t), make(chan string)
	ls := newTestListeners(t)
	plain := ls.use(t, streaming(lines), "127.0.0.1:0", config.ListenTLS{})
	streamer, caller := newTLSCaller(t, ca, false), newTLSCaller(t, ca, false)
	stream, err := streamer.open(plain + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	caller.get(plain)
	secure := ls.use(t, nil, "127.0.0.1:0", ca.listenTLS(101, nil))
	if !strings.HasPrefix(secure, "https://") || secure[len("https"):] != plain[len("http"):] {
		t.Fatalf("%s became %s", plain, secure)
	}
	if got := caller.get(plain); got != "served" || caller.fresh || !caller.closes {
		t.Errorf("the plain connection got %q and is to end with that: %+v", got, caller)
	}
	if got := newTLSCaller(t, ca, false).get(plain); !strings.Contains(got, "HTTP request to an HTTPS server") {
		t.Errorf("a new plain connection got %q", got)
	}
	if got := newTLSCaller(t, ca, true).get(secure); got != "served" {
		t.Errorf("https got %q", got)
	}
	go func() { lines <- "whole"; close(lines) }()
	if got, err := io.ReadAll(stream); string(got) != "whole\n" || err != nil {
		t.Errorf("the plain stream got %q, %v", got, err)
	}
	_ = stream.Close()
	ls.use(t, nil, "127.0.0.1:0", config.ListenTLS{})
	if got := newTLSCaller(t, ca, false).get(plain); got != "served" {
		t.Errorf("http again got %q", got)
	}
}

// A CA that is taken away takes its callers' connections and sessions with it, but cuts no call.
func TestCallersOfAnotherAuthorityAreLetInNoMore(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		ca, old, next := newAuthority(t), newAuthority(t), newAuthority(t)
		ls := newTestListeners(t)
		url := ls.use(t, streaming(nil), "127.0.0.1:0", ca.listenTLS(101, old))
		member, joiner := newTLSCaller(t, ca, http2, old.identity(7)...), newTLSCaller(t, ca, http2, next.identity(8)...)
		if got := member.get(url); got != "served" {
			t.Fatalf("got %q", got)
		}
		for _, stranger := range []*tlsCaller{newTLSCaller(t, ca, http2), joiner} {
			if _, err := stranger.open(url); err == nil {
				t.Error("let in without a certificate of the CA")
			}
		}
		ls.use(t, nil, "127.0.0.1:0", ca.listenTLS(101, next))
		if got := member.get(url); got != "served" || member.fresh {
			t.Errorf("the open connection got %q: %+v", got, member)
		}
		awaitRefusal(t, member, url)
		if got := joiner.get(url); got != "served" {
			t.Errorf("got %q", got)
		}
	}
}

// awaitRefusal calls until it is refused. Over HTTP/2 the client may begin a stream before it reads that the
// connection ends; the server then does not take it, or still answers it.
func awaitRefusal(t *testing.T, c *tlsCaller, url string) {
	t.Helper()
	for range 100 {
		body, err := c.open(url)
		if err != nil {
			return
		}
		if c.fresh {
			t.Fatal("a caller of the old CA got a new connection")
		}
		_ = body.Close()
	}
	t.Fatal("a connection of the old CA lives on")
}

// Every write of the gateway has a deadline; over HTTP/2 it must end a stream that nobody reads, and only that.
func TestHTTP2StreamThatIsNotReadEndsByItsWriteDeadline(t *testing.T) {
	ended := make(chan error, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/stalled" {
			_, _ = io.WriteString(w, "served")
			return
		}
		var err error
		for block := make([]byte, 64<<10); err == nil; _, err = w.Write(block) {
			if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
				t.Error(err)
			}
		}
		ended <- err
	})
	ca, ls := newAuthority(t), newTestListeners(t)
	url := ls.use(t, h, "127.0.0.1:0", ca.listenTLS(101, nil))
	c := newTLSCaller(t, ca, true)
	stream, err := c.open(url + "/stalled")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the write ended with %v", err)
	}
	if got := c.get(url); got != "served" || c.fresh || c.proto != "HTTP/2.0" {
		t.Errorf("another call of the connection got %q: %+v", got, c)
	}
}

func TestUnixSocketHasNoTLS(t *testing.T) {
	ca, ls := newAuthority(t), newTestListeners(t)
	address := unixScheme + t.TempDir() + "/s"
	if url := ls.use(t, answer("plain"), address, ca.listenTLS(101, nil)); url != address {
		t.Errorf("url %s", url)
	}
	c := newTLSCaller(t, ca, false)
	c.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", strings.TrimPrefix(address, unixScheme))
	}
	if got := c.get("http://localhost/"); got != "plain" || c.closes {
		t.Errorf("%q: %+v", got, c)
	}
}
