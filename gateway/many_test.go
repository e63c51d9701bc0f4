package gateway

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// manyRoutes is as many routes as a large company may come to.
const manyRoutes = 10_000

// many is a config of so many routes, signed and behind a CA file as most are.
func many(ca string, routes int) *config.Config {
	all := make(map[string]config.Route, routes)
	for i := range routes {
		r := config.DefaultRoute()
		r.Upstream = fmt.Sprintf("https://up-%d.test/mcp", i)
		r.Service, r.Region, r.Profile = "svc", "eu-west-1", fmt.Sprint("p", i)
		r.Headers, r.TLS.CAFile = map[string]string{"X-Route": fmt.Sprint(i)}, ca
		all[fmt.Sprint("route-", i)] = r
	}
	return settings(all)
}

// transports is how many of a gateway's pools have made theirs.
func transports(g *Gateway) int {
	n := 0
	for _, rt := range g.current.Load().routes {
		if rt.pool.transport.Load() != nil {
			n++
		}
	}
	return n
}

func TestFault_K07_AChangeOfOneOfTenThousandRoutesRebuildsOne(t *testing.T) {
	_, ca, _ := certify(t, time.Now().Add(time.Hour))
	cfg := many(ca, manyRoutes)
	g, err := New(cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	old := g.current.Load()
	next := edited(cfg, "route-7777", func(r *config.Route) { r.Pool.MaxIdle-- })
	changes, err := g.Reload(t.Context(), next, nil)
	if err != nil || changes.String() != "snapshot 2: 0 added, 1 changed, 0 removed, 9999 kept" {
		t.Fatalf("%s, %v", changes, err)
	}
	rebuilt := 0
	for name, rt := range g.current.Load().routes {
		was := old.routes[name]
		if rt != was {
			rebuilt++
		}
		if rt.identity != was.identity || (rt.pool != was.pool) != (name == "route-7777") {
			t.Errorf("%s: more was rebuilt than its pool", name)
		}
	}
	if n := transports(g); rebuilt != 1 || n != 0 {
		t.Errorf("%d routes rebuilt, %d transports made for no call", rebuilt, n)
	}
	roots := old.routes["route-1"].pool.secure.RootCAs
	if roots == nil || roots != old.routes["route-2"].pool.secure.RootCAs {
		t.Error("one CA file was parsed more than once")
	}
	if err := g.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestATransportIsMadeByTheFirstCallOfItsRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		up := plain(upstream(t, n, "up.test", answering(callAnswer)))
		b := newBench(t, n, settings(map[string]config.Route{"r": up, "s": up, "u": up}), Options{})
		for calls := range 3 {
			if n := transports(b.gateway); n != min(calls, 1) {
				t.Errorf("%d transports after %d calls of one route", n, calls)
			}
			b.post(t, "r", callBody)
		}
		if n.dialed("up.test:80") != 1 {
			t.Errorf("%d dials: the calls had no transport in common", n.dialed("up.test:80"))
		}
	})
}

func TestABadFileIsRefusedBeforeAnyTransportIsMade(t *testing.T) {
	g, cfg := two(t)
	_, cert, key := certify(t, time.Now().Add(time.Hour))
	_, otherCert, _ := certify(t, time.Now().Add(time.Hour))
	for name, files := range map[string]config.TLS{
		"no CA in it":          {CAFile: key},
		"no such CA":           {CAFile: filepath.Join(t.TempDir(), "none.pem")},
		"no such certificate":  {CertFile: filepath.Join(t.TempDir(), "none.pem"), KeyFile: key},
		"another one's key":    {CertFile: otherCert, KeyFile: key},
		"a certificate as key": {CertFile: cert, KeyFile: cert},
	} {
		if _, err := g.Reload(t.Context(), edited(cfg, "a", func(r *config.Route) { r.TLS = files }), nil); err == nil {
			t.Errorf("%s: applied", name)
		}
	}
	if _, err := g.Reload(t.Context(), edited(cfg, "a", func(r *config.Route) { r.TLS = config.TLS{CAFile: cert, CertFile: cert, KeyFile: key} }), nil); err != nil {
		t.Errorf("good files: %v", err)
	}
}

func BenchmarkReload10000(b *testing.B) {
	_, ca, _ := certify(b, time.Now().Add(time.Hour))
	cfg := many(ca, manyRoutes)
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			if _, err := New(cfg, Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("one changed", func(b *testing.B) {
		g, err := New(cfg, Options{})
		if err != nil {
			b.Fatal(err)
		}
		next := *cfg
		for n := 0; b.Loop(); n++ {
			next = *edited(&next, "route-1", func(r *config.Route) { r.Pool.MaxIdle = 1 + n })
			if _, err := g.Reload(b.Context(), &next, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("all changed", func(b *testing.B) {
		g, err := New(cfg, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; b.Loop(); n++ {
			next := many(ca, manyRoutes)
			for name, r := range next.Routes {
				r.Pool.MaxIdle = 1 + n
				next.Routes[name] = r
			}
			if _, err := g.Reload(b.Context(), next, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	for _, routes := range []int{10, manyRoutes} {
		g, err := New(many("", routes), Options{})
		if err != nil {
			b.Fatal(err)
		}
		r := httptest.NewRequest("POST", "http://127.0.0.1:8484/route-7", nil)
		b.Run(fmt.Sprint(routes, " routes"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if rt, _ := g.current.Load().find(r); rt == nil {
					b.Fatal("not found")
				}
			}
		})
	}
}
