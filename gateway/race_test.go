package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/credentials"
	"signet/gateway/sandbox"
)

func TestReloadsStatusAndCallsMayComeAtOnce(t *testing.T) {
	c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, nil, "a", "b")
	s := &storm{cloud: c, front: overTCP(t, c.edition(0, time.Second))}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 50 {
				if _, err := s.gateway.Reload(t.Context(), c.edition(int64(n*4+i), time.Second), nil); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for n := range 50 {
				body, err := s.ask(t.Context(), "a", toolCall(fmt.Sprintf("%d-%d", i, n), "echo", `"text":"x"`))
				if err != nil || !isResult(body) {
					t.Errorf("%v %s", err, body)
				}
			}
		})
		all.Go(func() {
			for range 200 {
				if status := s.gateway.Status(); len(status.Routes) != 2 || status.Schema != 1 {
					t.Errorf("%+v", status)
				}
				if i == 0 {
					s.gateway.Refused(errors.New("a file that is no config"))
				}
			}
		})
	}
	all.Wait()
	if n := s.gateway.Status().Snapshot.Number; n != 201 {
		t.Errorf("snapshot %d after 200 reloads", n)
	}
}

func TestShutdownWhileReloadsComeLeavesNothingServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		cfg := settings(map[string]config.Route{"r": plain(upstream(t, n, "up.test", answering(callAnswer)))})
		b := newBench(t, n, cfg, Options{})
		var reloads sync.WaitGroup
		for i := range 20 {
			reloads.Go(func() {
				_, _ = b.gateway.Reload(t.Context(), edited(cfg, "r", func(r *config.Route) { r.Headers = map[string]string{"X": fmt.Sprint(i)} }), nil)
			})
		}
		if err := b.gateway.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		reloads.Wait()
		if _, err := b.gateway.Reload(t.Context(), cfg, nil); !errors.Is(err, errDraining) {
			t.Errorf("a reload after the end: %v", err)
		}
		if _, body := b.post(t, "r", callBody); !strings.Contains(body, `"code":-31021`) || !strings.Contains(body, `"outcome":"not_sent"`) || !strings.Contains(body, `"retryable":true`) {
			t.Errorf("a call after the end: %s", body)
		}
		if err := b.gateway.Shutdown(t.Context()); err != nil {
			t.Errorf("a second end: %v", err)
		}
	})
}

func TestCallsThatMeetARetiringRouteTakeTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		cfg := settings(map[string]config.Route{"r": plain(upstream(t, n, "up.test", answering(callAnswer)))})
		b := newBench(t, n, cfg, Options{})
		old := b.gateway.current.Load()
		if _, err := b.gateway.Reload(t.Context(), edited(cfg, "r", func(r *config.Route) { r.Limits.Body++ }), nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		next := b.gateway.current.Load()
		// As a call does that looked its route up just before the swap.
		if old.routes["r"].flight.enter() {
			t.Error("a route that has retired lets calls in")
		}
		if !next.routes["r"].flight.enter() {
			t.Error("the next one does not")
		}
		next.routes["r"].flight.leave()
		if _, body := b.post(t, "r", callBody); body != callAnswer {
			t.Error(body)
		}
	})
}

func TestAConfigThatIsEqualMakesANewSnapshotOfTheSameRoutes(t *testing.T) {
	g, cfg := two(t)
	was := g.current.Load()
	same := *cfg
	changes, err := g.Reload(t.Context(), &same, nil)
	if err != nil || changes.String() != "snapshot 2: 0 added, 0 changed, 0 removed, 2 kept" {
		t.Errorf("%s, %v", changes, err)
	}
	for name, rt := range g.current.Load().routes {
		if rt != was.routes[name] {
			t.Errorf("route %s was rebuilt", name)
		}
	}
}

func TestSessionNamesAreStableAndLegal(t *testing.T) {
	for route, want := range map[string]string{
		"aws": "signet-aws", strings.Repeat("a", 63): "signet-" + strings.Repeat("a", 57),
	} {
		if got := sessionName(route); got != want || len(got) > 64 {
			t.Errorf("%s is %s", route, got)
		}
	}
}

func TestACallWithoutARegionSaysWhatToSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{}, inMemory(t, n), "a")
		static := c.IssueStatic("a")
		t.Setenv("AWS_ACCESS_KEY_ID", static.AccessKeyID)
		t.Setenv("AWS_SECRET_ACCESS_KEY", static.SecretAccessKey)
		r := c.routes["a"]
		r.Profile, r.Region = "", ""
		b := newBench(t, n, settings(map[string]config.Route{"a": r}), Options{})
		if _, body := b.post(t, "a", toolCall("x", "echo", `"text":"x"`)); !strings.Contains(body, `"reason":"no_region"`) || !strings.Contains(body, "set region on the route") {
			t.Error(body)
		}
		t.Setenv("AWS_REGION", "eu-west-1")
		b.gateway.current.Load().routes["a"].identity.cache.Invalidate(held(t, b, "a"))
		if _, body := b.post(t, "a", toolCall("y", "echo", `"text":"x"`)); !isResult(body) {
			t.Errorf("with AWS_REGION: %s", body)
		}
	})
}

// held is the generation that a route signs with now.
func held(t *testing.T, b *bench, route string) *credentials.Generation {
	t.Helper()
	g, err := b.gateway.current.Load().routes[route].identity.cache.Get(context.Background(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestOptionsMayBeEmpty(t *testing.T) {
	g, err := New(settings(map[string]config.Route{"r": plain("https://up.test/mcp")}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := g.Status(); s.Version != "dev" || len(s.Routes) != 1 {
		t.Errorf("%+v", s)
	}
	if err := g.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	var _ http.Handler = g
}
