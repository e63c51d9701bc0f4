package gateway

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"signet/config"
	"signet/gateway/bulkhead"
)

// settings is a config that serves the given routes to everyone, as config.Load would return it.
func settings(routes map[string]config.Route) *config.Config {
	cfg := config.Default()
	cfg.Listen = []string{"127.0.0.1:8484"}
	cfg.Auth.Mode = "none"
	cfg.Routes = routes
	return &cfg
}

// plain is an unsigned route to an upstream.
func plain(upstream string) config.Route {
	r := config.DefaultRoute()
	r.Upstream, r.UpstreamAuth = upstream, "none"
	return r
}

// A bench is a gateway and its upstreams on one network in memory, with a client in front.
type bench struct {
	net     *network
	gateway *Gateway
	client  *http.Client
	witness *witness // nil: no fault is played
}

// newBench starts a gateway for cfg on a network of its own. Everything ends with the test.
func newBench(t *testing.T, n *network, cfg *config.Config, o Options) *bench {
	t.Helper()
	o.Dial = n.dial
	o = searched(t, o)
	g, err := New(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: g, DisableGeneralOptionsHandler: true}
	l := n.listen(t, "127.0.0.1:8484")
	go func() { _ = server.Serve(l) }()
	transport := &http.Transport{DialContext: n.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = g.Shutdown(ctx)
		allGivenBack(t, g)
		_ = server.Close()
		<-time.After(time.Second) // net/http lingers on a connection whose body it would not read
	})
	return &bench{net: n, gateway: g, client: &http.Client{Transport: transport}}
}

// allGivenBack fails if a gateway that was shut down still holds memory, connections or places.
func allGivenBack(t *testing.T, g *Gateway) {
	t.Helper()
	if n := g.memory.Used(); n != 0 {
		t.Errorf("%d bytes of memory are still taken", n)
	}
	for name, rt := range g.current.Load().routes {
		if n := rt.pool.connections.count(); n != 0 {
			t.Errorf("route %s: %d connections are still open", name, n)
		}
		if s := rt.places.State(); s.Calls != (bulkhead.Use{}) || s.Streams != (bulkhead.Use{}) {
			t.Errorf("route %s: places are still taken: %+v", name, s)
		}
	}
}

// upstream serves h at http://name:80 until the test ends.
func upstream(t *testing.T, n *network, name string, h http.HandlerFunc) string {
	t.Helper()
	server := &http.Server{Handler: h}
	l := n.listen(t, net.JoinHostPort(name, "80"))
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + name + "/mcp"
}

// request is a POST of a message to a route.
func request(t *testing.T, route, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:8484/"+route, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	return r
}

// do sends a request and returns the response with its whole body.
func (b *bench) do(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v (got %q)", err, body)
	}
	return response, string(body)
}

// post sends a message to a route.
func (b *bench) post(t *testing.T, route, body string) (*http.Response, string) {
	t.Helper()
	return b.do(t, request(t, route, body))
}

// A front is a client of a gateway on a real socket.
type front struct {
	http.Client
	address string
	gateway *Gateway
}

// overTCP starts a gateway for cfg on a loopback socket of its own.
func overTCP(t *testing.T, cfg *config.Config) *front {
	t.Helper()
	return overTCPWith(t, cfg, Options{})
}

// overTCPWith is overTCP with options of the test's. Without a Dial it dials nothing but this machine.
func overTCPWith(t *testing.T, cfg *config.Config, o Options) *front {
	t.Helper()
	if o.Dial == nil {
		o.Dial = loopback
	}
	o = searched(t, o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: g}
	go func() { _ = server.Serve(l) }()
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_ = g.Shutdown(ctx)
		allGivenBack(t, g)
		_ = server.Close()
	})
	return &front{Client: http.Client{Transport: transport}, address: l.Addr().String(), gateway: g}
}

// loopback dials nothing but this machine: a test that would reach AWS fails instead.
func loopback(ctx context.Context, network, address string) (net.Conn, error) {
	if host, _, err := net.SplitHostPort(address); err != nil || !net.ParseIP(host).IsLoopback() {
		return nil, &net.OpError{Op: "dial", Net: network, Err: &net.AddrError{Err: "not loopback", Addr: address}}
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}
