package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// two is a gateway with routes "a" and "b", not served anywhere, and its config.
func two(t *testing.T) (*Gateway, *config.Config) {
	t.Helper()
	signed := config.DefaultRoute()
	signed.Upstream, signed.Service, signed.Region, signed.Profile = "https://b.test/mcp", "svc", "eu-west-1", "dev"
	cfg := settings(map[string]config.Route{"a": plain("https://a.test/mcp"), "b": signed})
	g, err := New(cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Shutdown(context.Background()) })
	return g, cfg
}

// edited is cfg with route name changed.
func edited(cfg *config.Config, name string, change func(*config.Route)) *config.Config {
	next := *cfg
	next.Routes = map[string]config.Route{}
	for n, r := range cfg.Routes {
		if n == name {
			change(&r)
		}
		next.Routes[n] = r
	}
	return &next
}

func TestReloadKeepsWhatIsEqual(t *testing.T) {
	for name, test := range map[string]struct {
		change               func(*config.Route)
		route, pool, sources bool // kept
	}{
		"nothing":      {func(*config.Route) {}, true, true, true},
		"a header":     {func(r *config.Route) { r.Headers = map[string]string{"X-Team": "t"} }, false, true, true},
		"a body limit": {func(r *config.Route) { r.Limits.Body++ }, false, true, true},
		"a limit":      {func(r *config.Route) { r.Limits.Calls++ }, false, true, true},
		"the breaker":  {func(r *config.Route) { r.Breaker.Failures++ }, false, true, true},
		"a pool limit": {func(r *config.Route) { r.Pool.MaxConnections++ }, false, false, true},
		"the upstream": {func(r *config.Route) { r.Upstream = "https://c.test/mcp" }, false, false, true},
		"its path":     {func(r *config.Route) { r.Upstream = "https://b.test/other" }, false, true, true},
		"the profile":  {func(r *config.Route) { r.Profile = "prod" }, false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			g, cfg := two(t)
			old := g.current.Load()
			changes, err := g.Reload(t.Context(), edited(cfg, "b", test.change), nil)
			if err != nil {
				t.Fatal(err)
			}
			was, is := old.routes["b"], g.current.Load().routes["b"]
			if was.name != is.name || (was == is) != test.route || (was.pool == is.pool) != test.pool || (was.identity == is.identity) != test.sources {
				t.Errorf("route kept %v, pool %v, credentials %v; want %v, %v, %v",
					was == is, was.pool == is.pool, was.identity == is.identity, test.route, test.pool, test.sources)
			}
			if (was.places == is.places) != (was.upstream.Host == is.upstream.Host) {
				t.Errorf("places kept %v, with %s for %s", was.places == is.places, is.upstream.Host, was.upstream.Host)
			}
			if old.routes["a"] != g.current.Load().routes["a"] {
				t.Error("the other route was rebuilt")
			}
			if changes.Snapshot != 2 || slices.Contains(changes.Kept, "b") != test.route || slices.Contains(changes.Changed, "b") == test.route {
				t.Errorf("reported as %+v", changes)
			}
		})
	}
}

func TestReloadReportsWhatCameAndWent(t *testing.T) {
	g, cfg := two(t)
	next := *cfg
	next.Routes = map[string]config.Route{"a": cfg.Routes["a"], "c": plain("https://c.test/mcp")}
	off := cfg.Routes["b"]
	off.Enabled = false
	next.Routes["b"] = off
	changes, err := g.Reload(t.Context(), &next, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := changes.String(); got != "snapshot 2: 1 added, 0 changed, 1 removed, 1 kept" || changes.Removed[0] != "b" || changes.Added[0] != "c" {
		t.Errorf("%s %+v", got, changes)
	}
}

func TestReloadChangesNothingWhenOneRouteIsBad(t *testing.T) {
	g, cfg := two(t)
	old := g.current.Load()
	bad := edited(cfg, "b", func(r *config.Route) { r.TLS.CAFile = "/nowhere/ca.pem" })
	bad.Routes["c"] = plain("https://c.test/mcp")
	if _, err := g.Reload(t.Context(), bad, nil); err == nil || !strings.Contains(err.Error(), `route "b": tls: `) {
		t.Fatalf("err = %v, want one that names the route and the part", err)
	}
	if g.current.Load() != old {
		t.Error("a refused config was applied")
	}
	if s := g.Status(); s.LastReload.OK || len(s.LastReload.Problems) != 1 || s.Snapshot.Number != 1 {
		t.Errorf("status shows %+v", s.LastReload)
	}
	if _, err := g.Reload(t.Context(), cfg, nil); err != nil || !g.Status().LastReload.OK {
		t.Errorf("a good config after a bad one: %v, %+v", err, g.Status().LastReload)
	}
}

func TestReloadChangesNothingWhenTheProgramCannot(t *testing.T) {
	g, cfg := two(t)
	old := g.current.Load()
	busy := errors.New("address in use")
	next := edited(cfg, "a", func(r *config.Route) { r.Limits.Body++ })
	if _, err := g.Reload(t.Context(), next, func(*config.Config) (func(), error) { return nil, busy }); !errors.Is(err, busy) {
		t.Fatalf("err = %v", err)
	}
	if g.current.Load() != old {
		t.Error("the config was applied although the program could not follow")
	}
	var committed *snapshot
	prepare := func(*config.Config) (func(), error) {
		if g.current.Load() != old {
			t.Error("prepared after the swap")
		}
		return func() { committed = g.current.Load() }, nil
	}
	if _, err := g.Reload(t.Context(), next, prepare); err != nil || committed == nil || committed == old {
		t.Errorf("err %v; commit is to be called once the new snapshot serves", err)
	}
}

func TestReloadLetsCallsFinishOnTheSnapshotTheyBeganWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		serve := func(name string) string {
			return upstream(t, n, name, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				<-time.After(20 * time.Second)
				answering(strings.Replace(callAnswer, `"ReSuLt7f3a"`, `"`+name+`"`, 1))(w, r)
			})
		}
		first, second := serve("one.test"), serve("two.test")
		cfg := settings(map[string]config.Route{"r": plain(first)})
		b := newBench(t, n, cfg, Options{})
		answers := make(chan string, 2)
		call := func() { _, body := b.post(t, "r", callBody); answers <- body }
		go call()
		synctest.Wait()
		if _, err := b.gateway.Reload(t.Context(), edited(cfg, "r", func(r *config.Route) { r.Upstream = second }), nil); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second)
		go call()
		for _, want := range []string{"one.test", "two.test"} {
			if got := <-answers; !strings.Contains(got, want) {
				t.Errorf("got %s, want the answer of %s", got, want)
			}
		}
	})
}

func TestReloadEndsWhatOutlivesTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		address := upstream(t, n, "up.test", func(w http.ResponseWriter, r *http.Request) {
			events(w)(event(progress))
			<-r.Context().Done()
		})
		cfg := settings(map[string]config.Route{"r": plain(address), "s": plain(address)})
		b := newBench(t, n, cfg, Options{})
		began, answers := time.Now(), make(chan string, 2)
		go func() { _, body := b.post(t, "r", callBody); answers <- body }()
		go func() {
			r := must(http.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1:8484/r", nil))
			r.Header.Set("Accept", "text/event-stream")
			_, body := b.do(t, r)
			answers <- body
		}()
		synctest.Wait()
		next := *cfg
		next.Routes = map[string]config.Route{"s": cfg.Routes["s"]}
		if _, err := b.gateway.Reload(t.Context(), &next, nil); err != nil {
			t.Fatal(err)
		}
		if response, body := b.post(t, "r", callBody); response.StatusCode != 404 || !strings.Contains(body, "-31040") {
			t.Errorf("a removed route answers a new call with %d %s", response.StatusCode, body)
		}
		all := <-answers + <-answers
		if got := time.Since(began); got != cfg.Drain {
			t.Errorf("they were ended after %s, want the drain, %s", got, cfg.Drain)
		}
		if strings.Count(all, event(progress)) != 2 || strings.Count(all, `"code":-31021`) != 1 {
			t.Errorf("want both streams' events and one last word, got %q", all)
		}
	})
}

func TestShutdownAnswersEveryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.Header.Get("Mcp-Name") == "stream" {
				events(w)(event(progress))
			}
			select {
			case <-time.After(10 * time.Second):
				answering(callAnswer)(w, r)
			case <-map[bool]<-chan struct{}{true: r.Context().Done()}[r.Header.Get("Mcp-Name") == "stream"]:
			}
		}, nil)
		answers := make(chan string, 2)
		for _, name := range []string{"", "stream"} {
			r := request(t, "r", callBody)
			r.Header.Set("Mcp-Name", name)
			go func() {
				_, body := b.do(t, r)
				answers <- body
			}()
		}
		synctest.Wait()
		ended := make(chan error, 1)
		ctx, cancel := context.WithTimeout(context.Background(), 9*time.Second)
		defer cancel()
		go func() { ended <- b.gateway.Shutdown(ctx) }()
		synctest.Wait()
		if response, body := b.do(t, must(http.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1:8484/-/ready", nil))); response.StatusCode != 503 {
			t.Errorf("ready while draining: %d %s", response.StatusCode, body)
		}
		if _, body := b.post(t, "r", callBody); !strings.Contains(body, "-31021") {
			t.Errorf("a new call while draining: %s", body)
		}
		all := <-answers + <-answers
		if strings.Count(all, `"code":-31021`) != 2 {
			t.Errorf("got %q, want a last word for both", all)
		}
		var cut *CutError
		if err := <-ended; !errors.As(err, &cut) || cut.Calls != 2 {
			t.Errorf("Shutdown says %v, want 2 calls cut", err)
		}
	})
}
