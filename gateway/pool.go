package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"signet/config"
)

// maxResponseHeader bounds the headers of an upstream's response.
const maxResponseHeader = 256 << 10

// errNoPlace says that every connection stayed taken for as long as a call waits for one.
var errNoPlace = errors.New("no connection became free in time")

// A pool is a route's own connections. A call takes its place before it fetches credentials and signs, so
// that nothing signed ever waits (a queue inside the transport sent 78 % of calls out expired at five
// times its capacity).
type pool struct {
	part
	wires     wires
	places    chan struct{} // one for each call and stream under way
	transport *http.Transport
}

// wires are what makes two pools the same, with the contents of the files that the config names.
type wires struct {
	pool          config.Pool
	tls           config.TLS
	connect, hand time.Duration
	scheme, host  string
	ca, cert, key []byte
}

func readWires(c config.Route, upstream *url.URL) (wires, error) {
	w := wires{
		pool: c.Pool, tls: c.TLS, connect: c.Timeouts.Connect, hand: c.Timeouts.TLS,
		scheme: upstream.Scheme, host: upstream.Host,
	}
	for _, file := range []struct {
		path string
		into *[]byte
	}{{c.TLS.CAFile, &w.ca}, {c.TLS.CertFile, &w.cert}, {c.TLS.KeyFile, &w.key}} {
		if file.path == "" {
			continue
		}
		pem, err := os.ReadFile(file.path)
		if err != nil {
			return wires{}, fmt.Errorf("tls: %w", err)
		}
		*file.into = pem
	}
	return w, nil
}

// newPool makes a pool without opening a connection. dial may be nil.
func newPool(w wires, dial func(context.Context, string, string) (net.Conn, error)) (*pool, error) {
	secure, err := w.tlsConfig()
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	if dial == nil {
		// Probing from 15 s on finds a dead peer in 30 s; Go's default does not in 25 s of a stream.
		dial = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
		}}).DialContext
	}
	p := &pool{wires: w, places: make(chan struct{}, w.pool.MaxConnections)}
	p.transport = &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            within(w.connect, dial),
		TLSClientConfig:        secure,
		TLSHandshakeTimeout:    w.hand,
		MaxConnsPerHost:        w.pool.MaxConnections,
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
	p.close = p.transport.CloseIdleConnections
	return p, nil
}

// within bounds each dial.
func within(limit time.Duration, dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return dial(ctx, network, address)
	}
}

func (w wires) protocols() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetHTTP2(w.pool.HTTP2)
	return &p
}

func (w wires) tlsConfig() (*tls.Config, error) {
	c := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         w.tls.ServerName,
		InsecureSkipVerify: w.tls.Insecure,
		ClientSessionCache: tls.NewLRUClientSessionCache(32),
	}
	if w.ca != nil {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(w.ca) {
			return nil, fmt.Errorf("%s: no certificate in it", w.tls.CAFile)
		}
	}
	if w.cert != nil {
		pair, err := tls.X509KeyPair(w.cert, w.key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.tls.CertFile, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// take waits for a place, at most as long as connecting may take. The caller gives it back.
func (p *pool) take(ctx context.Context) error {
	select {
	case p.places <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(p.wires.connect)
	defer timer.Stop()
	select {
	case p.places <- struct{}{}:
		return nil
	case <-timer.C:
		return errNoPlace
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// give gives a place back.
func (p *pool) give() { <-p.places }
