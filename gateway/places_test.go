package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/bulkhead"
	"signet/gateway/envelope"
)

// double keeps 40 calls at once coming to a route while its limits and headers are changed every 100 ms. It
// returns how many calls the upstream got, and how many of them came while it had as many as it may, or more.
// host names the upstream of an edition.
func double(t *testing.T, host func(edition int) string) (calls, above int32) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var limit, now, all, over atomic.Int32
		up := func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			all.Add(1)
			if now.Add(1) > limit.Load() {
				over.Add(1)
			}
			<-time.After(70 * time.Millisecond)
			now.Add(-1)
			answering(callAnswer)(w, r)
		}
		upstream(t, n, "up0.test", up)
		upstream(t, n, "up1.test", up)
		edition := func(i int) *config.Config {
			r := plain("http://" + host(i) + "/mcp")
			r.Headers = map[string]string{"X-Edition": fmt.Sprint(i)}
			r.Limits.Calls, r.Limits.PerClient = []int{12, 8, 8, 2, 5}[i%5], 0
			limit.Store(int32(r.Limits.Calls))
			return settings(map[string]config.Route{"r": r})
		}
		b := newBench(t, n, edition(0), Options{})
		var done atomic.Bool
		var clients sync.WaitGroup
		for range 40 {
			clients.Go(func() {
				for !done.Load() {
					b.as(t, "", "r", callBody)
				}
			})
		}
		for i := range 50 {
			<-time.After(100 * time.Millisecond)
			synctest.Wait() // or a call is on its way to the upstream while the limit changes
			if _, err := b.gateway.Reload(t.Context(), edition(i+1), nil); err != nil {
				t.Fatal(err)
			}
		}
		done.Store(true)
		clients.Wait()
		calls, above = all.Load(), over.Load()
	})
	return calls, above
}

func TestPitfall37_AReloadLetsNoMoreThroughThanTheLimit(t *testing.T) {
	if calls, above := double(t, func(int) string { return "up0.test" }); calls < 300 || above > 0 {
		t.Errorf("%d of %d calls were above the limit", above, calls)
	}
	// The control: versions with places of their own, since their hosts differ.
	if calls, above := double(t, func(i int) string { return fmt.Sprintf("up%d.test", i%2) }); above == 0 {
		t.Errorf("none of %d calls above the limit, with the limits of two routes: this shows nothing", calls)
	}
}

func TestLightCallsAndStreamsAreToldFromCalls(t *testing.T) {
	for body, want := range map[string]bulkhead.Kind{
		`{"jsonrpc":"2.0","id":1,"method":"initialize"}`:                                                                         bulkhead.Light,
		`{"jsonrpc":"2.0","id":1,"method":"ping"}`:                                                                               bulkhead.Light,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`:                                                                         bulkhead.Light,
		`{"jsonrpc":"2.0","id":1,"method":"resources/templates/list"}`:                                                           bulkhead.Light,
		`{"jsonrpc":"2.0","id":1,"method":"server/discover"}`:                                                                    bulkhead.Light,
		`{"jsonrpc":"2.0","method":"notifications/cancelled"}`:                                                                   bulkhead.Light,
		`{"jsonrpc":"2.0","id":1,"result":{}}`:                                                                                   bulkhead.Light,
		`{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m"}}`:                                                              bulkhead.Light,
		`[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","method":"notifications/x"}]`:                                    bulkhead.Light,
		`[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"method":"tools/call"}]`:                                  bulkhead.Call,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ping"}}`:                                                bulkhead.Call,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"x"}}`:                                                bulkhead.Call,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping"}`:                                                         bulkhead.Call,
		`{"jsonrpc":"2.0","id":1,"method":"unheard/of"}`:                                                                         bulkhead.Call,
		`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"_meta":{"io.modelcontextprotocol/x":"2026-07-28"}}}`: bulkhead.Stream,
	} {
		m, err := envelope.Read([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if got := (&call{r: request(t, "r", body), message: m}).kind(); got != want {
			t.Errorf("%s is of kind %d, want %d", body, got, want)
		}
	}
	for method, want := range map[string]bulkhead.Kind{http.MethodGet: bulkhead.Stream, http.MethodDelete: bulkhead.Light} {
		if got := (&call{r: must(http.NewRequestWithContext(t.Context(), method, "http://h/r", nil))}).kind(); got != want {
			t.Errorf("%s is of kind %d, want %d", method, got, want)
		}
	}
}

func TestSheddingSaysWhyAndWhen(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*config.Route)
		want   []string
	}{
		"nobody may wait": {func(r *config.Route) { r.Limits.Queue = 0 },
			[]string{`"reason":"queue_full"`, `"retry_after_ms":2000`, "1 of 1 calls are under way and 0 wait", "(limits.queue)"}},
		"not for long": {func(r *config.Route) { r.Limits.QueueWait = 500 * time.Millisecond },
			[]string{`"reason":"queue_timeout"`, `"retry_after_ms":500`, "no place became free in 500ms", "(limits.queue_wait)"}},
		"the rate": {func(r *config.Route) { r.Limits.Calls, r.Limits.Rate = 9, 0.1 },
			[]string{`"reason":"rate"`, `"retry_after_ms":10000`, "0.1 calls/s", "(limits.rate)"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &busy{finish: make(chan struct{})}
				b := alone(t, up.ServeHTTP, func(r *config.Route) { r.Limits.Calls = 1; test.change(r) })
				answers := b.crowd(t, "", "r", 1)
				response, body := b.post(t, "r", callBody)
				for _, words := range append(test.want, `"id":9007199254740993`, `"code":-31020`, `"retryable":true`, `"outcome":"not_sent"`) {
					if response.StatusCode != 200 || !strings.Contains(body, words) {
						t.Errorf("%s: %d %s", words, response.StatusCode, body)
					}
				}
				close(up.finish)
				if got := <-answers; got != theWhole || up.calls.Load() != 1 {
					t.Errorf("%d calls reached the upstream; the first got %s", up.calls.Load(), got)
				}
			})
		})
	}
}

func TestACallThatWaitsEndsWithItsClientOrItsRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &busy{finish: make(chan struct{})}
		b := alone(t, up.ServeHTTP, func(r *config.Route) { r.Limits.Calls, r.Limits.QueueWait = 1, time.Hour })
		running, waiting := b.crowd(t, "", "r", 1), b.crowd(t, "", "r", 2)
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := b.client.Do(request(t, "r", callBody).WithContext(ctx))
			left <- err
		}()
		synctest.Wait()
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		synctest.Wait()
		if s := b.gateway.Status().Routes[0].Limits.Calls; s.Waiting != 2 || s.Running != 1 {
			t.Errorf("after a client left: %+v", s)
		}
		cfg := *b.gateway.current.Load().config
		cfg.Drain = time.Second
		began := time.Now()
		if _, err := b.gateway.Reload(t.Context(), without(&cfg, "r"), nil); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got := <-waiting; !strings.Contains(got, `"code":-31021`) || !strings.Contains(got, `"outcome":"not_sent"`) || time.Since(began) != time.Second {
				t.Errorf("after %s: %s", time.Since(began), got)
			}
		}
		if got := <-running; !strings.Contains(got, `"code":-31021`) || !strings.Contains(got, `"outcome":"unknown"`) {
			t.Errorf("the one that was sent: %s", got)
		}
		if n := up.calls.Load(); n != 1 {
			t.Errorf("%d calls reached the upstream", n)
		}
	})
}

func TestARefusedReloadChangesNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &busy{takes: time.Second}
		b := alone(t, up.ServeHTTP, nil)
		cfg, no := b.gateway.current.Load().config, errors.New("no")
		lower := edited(cfg, "r", func(r *config.Route) { r.Limits.Calls = 1 })
		if _, err := b.gateway.Reload(t.Context(), lower, func(*config.Config) (func(), error) { return nil, no }); !errors.Is(err, no) {
			t.Fatal(err)
		}
		if _, err := b.gateway.Diff(lower); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			b.crowd(t, "", "r", 1)
		}
		if n := up.now.Load(); n != 4 {
			t.Errorf("%d calls at once, want the 4 that there are", n)
		}
		<-time.After(time.Second)
		if _, err := b.gateway.Reload(t.Context(), lower, nil); err != nil { // the control
			t.Fatal(err)
		}
		for range 2 {
			b.crowd(t, "", "r", 1)
		}
		if n := up.now.Load(); n != 1 {
			t.Errorf("%d calls at once after the reload, want 1", n)
		}
	})
}
