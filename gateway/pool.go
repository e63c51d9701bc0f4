package gateway

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"signet/config"
)

// maxResponseHeader bounds the headers of an upstream's response.
const maxResponseHeader = 256 << 10

// A pool is a route's own connections. A call has its place before it comes here, so that nothing signed ever
// waits (a queue inside the transport sent 78 % of calls out expired at five times its capacity).
type pool struct {
	part
	wires       wires
	secure      *tls.Config
	connections *connections

	// swapped
	transport atomic.Pointer[http.Transport] // nil until the first call
}

// wires are what makes two pools the same, with the contents of the files that the config names.
type wires struct {
	pool          config.Pool
	tls           config.TLS
	connect, hand time.Duration
	scheme, host  string
	ca, cert, key sum
}

func readWires(c config.Route, upstream *url.URL, f *files) (wires, error) {
	w := wires{
		pool: c.Pool, tls: c.TLS, connect: c.Timeouts.Connect, hand: c.Timeouts.TLS,
		scheme: upstream.Scheme, host: upstream.Host,
	}
	for _, file := range []struct {
		path string
		into *sum
	}{{c.TLS.CAFile, &w.ca}, {c.TLS.CertFile, &w.cert}, {c.TLS.KeyFile, &w.key}} {
		read, err := f.of(file.path)
		if err != nil {
			return wires{}, fmt.Errorf("tls: %w", err)
		}
		*file.into = read.sum
	}
	return w, nil
}

// newPool makes a pool without opening a connection. dial may be nil.
func newPool(w wires, f *files, dial dialer) (*pool, error) {
	secure, err := w.tlsConfig(f)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	p := &pool{
		wires: w, secure: secure, connections: newConnections(dial, w.connect),
	}
	p.close = p.shut
	return p, nil
}

// RoundTrip sends one request, over a transport that the first one makes: of ten thousand routes most may
// never have a call.
func (p *pool) RoundTrip(r *http.Request) (*http.Response, error) {
	t := p.transport.Load()
	if t == nil {
		p.transport.CompareAndSwap(nil, p.newTransport())
		t = p.transport.Load()
	}
	return t.RoundTrip(r)
}

func (p *pool) newTransport() *http.Transport {
	w, secure := p.wires, p.secure.Clone()
	secure.ClientSessionCache = tls.NewLRUClientSessionCache(32)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            p.connections.dial,
		TLSClientConfig:        secure,
		TLSHandshakeTimeout:    w.hand,
		MaxConnsPerHost:        w.pool.MaxConnections + 1, // that of the light call beside the budget
		MaxIdleConnsPerHost:    w.pool.MaxIdle,
		IdleConnTimeout:        w.pool.IdleTimeout,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxResponseHeader,
		Protocols:              w.protocols(),
		// Without the ping every call keeps going to a dead HTTP/2 connection. StrictMaxConcurrentRequests
		// stays off: it deadlocks (golang/go#70809).
		HTTP2: &http.HTTP2Config{
			SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second, WriteByteTimeout: 30 * time.Second,
		},
	}
}

// shut closes every connection. No call is left that could use one.
func (p *pool) shut() {
	if t := p.transport.Load(); t != nil {
		t.CloseIdleConnections()
	}
	// An HTTP/2 connection whose last stream was cancelled a moment ago is not idle yet, and would stay for
	// pool.idle_timeout.
	p.connections.close()
}

func (w wires) protocols() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetHTTP2(w.pool.HTTP2)
	return &p
}

func (w wires) tlsConfig(f *files) (*tls.Config, error) {
	roots, err := f.authorities(w.tls.CAFile)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         w.tls.ServerName,
		InsecureSkipVerify: w.tls.Insecure,
		RootCAs:            roots,
	}
	if w.tls.CertFile == "" {
		return c, nil
	}
	pair, err := f.pair(w.tls.CertFile, w.tls.KeyFile)
	if err != nil {
		return nil, err
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}
