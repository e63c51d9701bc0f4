package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
)

// An upstream is a server that the suite knows, on its own, and as the gateway reaches it.
type upstream struct {
	name, url string
	hop       *hop
	front     *httptest.Server // the hop
}

// A field is what the suite is run against: the servers, and the gateway with a route to each and to two that are
// broken on purpose.
type field struct {
	upstreams []*upstream
	broken    *hop // in front of the first, for the routes that are
	gateway   *gateway
	stops     []func()
}

// The routes that the suite must find wanting.
const (
	routeForgetful = "forgetful" // its upstream's sessions are lost
	routeUnsigned  = "unsigned"  // it does not sign
)

// newField starts everything. stop is due in either case.
func newField(ctx context.Context, t tools) (*field, error) {
	f := &field{}
	k := newKey()
	legacy, err := f.goServer(ctx, t, "go-legacy", false)
	if err != nil {
		return f, err
	}
	modern, err := f.goServer(ctx, t, "go-modern", true)
	if err != nil {
		return f, err
	}
	typescript, err := f.start(ctx, t, "typescript", func(port string) *exec.Cmd {
		command := exec.CommandContext(ctx, t.node(), "server.mjs", port)
		command.Dir = t.sdk
		return command
	})
	if err != nil {
		return f, err
	}
	dual := httptest.NewServer(eras{legacy: forward(legacy, true), modern: forward(modern, true)})
	f.stops = append(f.stops, dual.CloseClientConnections)
	f.add(k, "go-legacy", legacy.String())
	f.add(k, "go-modern", modern.String())
	f.add(k, "typescript", typescript.String())
	f.add(k, "dual", dual.URL+"/")
	return f, f.startGateway(ctx, t, k)
}

// startGateway starts the gateway, once the servers run.
func (f *field) startGateway(ctx context.Context, t tools, k key) (err error) {
	first := f.upstreams[0]
	f.broken = newHop(k, parse(first.url))
	f.broken.next = forgetful(f.broken.next)
	front := httptest.NewServer(f.broken)
	f.stops = append(f.stops, front.CloseClientConnections)
	routes := map[string]target{
		routeForgetful: {front.URL + "/mcp", true},
		routeUnsigned:  {front.URL + "/mcp", false},
	}
	for _, u := range f.upstreams {
		routes[u.name] = target{u.front.URL + "/mcp", true}
	}
	if f.gateway, err = startGateway(ctx, t.program("signet"), t.dir, k, routes); err != nil {
		return err
	}
	f.stops = append(f.stops, f.gateway.stop)
	return nil
}

// goServer starts the Go SDK's example server, whose two eras are two programs.
func (f *field) goServer(ctx context.Context, t tools, name string, stateless bool) (*url.URL, error) {
	return f.start(ctx, t, name, func(port string) *exec.Cmd {
		return exec.CommandContext(ctx, t.program("everything-server"), "-http=127.0.0.1:"+port, fmt.Sprintf("-stateless=%t", stateless))
	})
}

// start starts a server, and is where it is.
func (f *field) start(ctx context.Context, t tools, name string, command func(port string) *exec.Cmd) (*url.URL, error) {
	p, address, err := start(ctx, t.dir, name, func(address string) *exec.Cmd {
		return command(address[strings.LastIndexByte(address, ':')+1:])
	})
	if err != nil {
		return nil, err
	}
	f.stops = append(f.stops, p.stop)
	return parse("http://" + address + "/"), nil
}

// add puts a hop in front of a server.
func (f *field) add(k key, name, url string) {
	u := &upstream{name: name, url: url, hop: newHop(k, parse(url))}
	u.front = httptest.NewServer(u.hop)
	f.stops = append(f.stops, u.front.CloseClientConnections)
	f.upstreams = append(f.upstreams, u)
}

// upstream is the server of that name.
func (f *field) upstream(name string) *upstream {
	for _, u := range f.upstreams {
		if u.name == name {
			return u
		}
	}
	panic("no upstream is called " + name)
}

// signed reports whether all that the servers got was signed.
func (f *field) signed() error {
	for _, u := range f.upstreams {
		if err := u.hop.signed(u.name); err != nil {
			return err
		}
	}
	return nil
}

// stop ends everything, the gateway first.
func (f *field) stop() {
	for i := len(f.stops) - 1; i >= 0; i-- {
		f.stops[i]()
	}
}

// parse parses what was made here.
func parse(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return u
}
