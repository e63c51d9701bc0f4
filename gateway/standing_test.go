package gateway

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// listening opens a standing stream.
func listening(t *testing.T, ctx context.Context, b *bench) *http.Response {
	t.Helper()
	r := must(http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:8484/r", nil))
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Mcp-Session-Id", "s")
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// changing is an upstream that answers a GET with what it is set to, and counts.
func changing(asked *atomic.Int32, is *atomic.Pointer[http.HandlerFunc]) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		(*is.Load())(w, r)
	}
}

func set(is *atomic.Pointer[http.HandlerFunc], h http.HandlerFunc) { is.Store(&h) }

// The Go SDK 1.8 ended its session when a standing stream broke and the next GET was told 502.
func TestAStandingStreamIsHeldUntilItsUpstreamIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		var is atomic.Pointer[http.HandlerFunc]
		set(&is, status(502, "text/html", "<html>"))
		b := alone(t, changing(&asked, &is), func(r *config.Route) { r.Breaker.Failures = 0 })
		began, response := time.Now(), listening(t, t.Context(), b)
		if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" || time.Since(began) != 0 {
			t.Fatalf("%d %v after %s", response.StatusCode, response.Header, time.Since(began))
		}
		lines := bufio.NewReader(response.Body)
		for i := range 2 { // it is asked after 0, 1 and 3 s
			if line, err := lines.ReadString('\n'); line != ": keepalive\n" || int(asked.Load()) != i+1 {
				t.Errorf("%q, %v; asked %d times", line, err, asked.Load())
			}
			_, _ = lines.ReadString('\n')
			synctest.Wait()
		}
		set(&is, func(w http.ResponseWriter, r *http.Request) { events(w)(event(progress)); <-r.Context().Done() })
		_, _ = lines.ReadString('\n')
		_, _ = lines.ReadString('\n')
		if line, err := lines.ReadString('\n'); line != "event: message\n" || time.Since(began) != 7*time.Second {
			t.Errorf("%q, %v after %s", line, err, time.Since(began))
		}
	})
}

func TestAStandingStreamThatIsRefusedIsAskedForOnceAMinute(t *testing.T) {
	for _, test := range []struct {
		refusal http.HandlerFunc
		asked   int32
	}{{status(403, "", ""), 10}, {status(429, "", "", "Retry-After", "100"), 6}, {status(500, "", ""), 43}} {
		synctest.Test(t, func(t *testing.T) {
			var asked atomic.Int32
			b := alone(t, func(w http.ResponseWriter, r *http.Request) { asked.Add(1); test.refusal(w, r) },
				func(r *config.Route) { r.Breaker.Failures = 0 })
			ctx, cancel := context.WithTimeout(t.Context(), 595*time.Second)
			defer cancel()
			_, _ = io.Copy(io.Discard, listening(t, ctx, b).Body)
			if got := asked.Load(); got != test.asked {
				t.Errorf("asked %d times in ten minutes, want %d", got, test.asked)
			}
		})
	}
}

func TestAStandingStreamThatIsHeldEndsWhenThereIsNone(t *testing.T) {
	for name, then := range map[string]http.HandlerFunc{
		"the session is gone": status(404, "text/plain", "gone"), "no streams": status(405, "", ""),
		"JSON": answering(callAnswer), "nothing": status(202, "", ""),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int32
				var is atomic.Pointer[http.HandlerFunc]
				set(&is, status(503, "text/html", "<html>"))
				b := alone(t, changing(&asked, &is), nil)
				response := listening(t, t.Context(), b)
				set(&is, then)
				if rest, err := io.ReadAll(response.Body); string(rest) != comment || err != nil || asked.Load() != 2 {
					t.Errorf("%q, %v; asked %d times", rest, err, asked.Load())
				}
			})
		})
	}
}

func TestAStandingStreamThatIsHeldLeavesWithItsClientItsRouteAndItsGateway(t *testing.T) {
	for name, end := range map[string]func(b *bench, leave func()){
		"its client": func(_ *bench, leave func()) { leave() },
		"its gateway": func(b *bench, _ func()) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_ = b.gateway.Shutdown(ctx)
		},
		"its route": func(b *bench, _ func()) {
			_, _ = b.gateway.Reload(t.Context(), without(b.gateway.current.Load().config, "r"), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				cfg := settings(map[string]config.Route{"r": plain("http://nowhere.test/mcp"), "s": plain("http://nowhere.test/mcp")})
				cfg.Drain = 5 * time.Second
				b := newBench(t, n, cfg, Options{})
				ctx, leave := context.WithCancel(t.Context())
				response := listening(t, ctx, b)
				ended := make(chan struct{})
				go func() { _, _ = io.Copy(io.Discard, response.Body); close(ended) }()
				rt := b.gateway.current.Load().routes["r"]
				<-time.After(time.Minute)
				if rt.parked.Load() != 1 {
					t.Errorf("%d are held", rt.parked.Load())
				}
				end(b, leave)
				<-time.After(10 * time.Second)
				<-ended
				if rt.parked.Load() != 0 || rt.flight.count() != 0 {
					t.Errorf("%d are still held", rt.parked.Load())
				}
			})
		})
	}
}

func TestNoMoreStandingStreamsAreHeldThanMayBeOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, status(502, "", ""), func(r *config.Route) { r.Limits.Streams, r.Breaker.Failures = 1, 0 })
		if first, second := listening(t, t.Context(), b), listening(t, t.Context(), b); first.StatusCode != 200 || second.StatusCode != 502 {
			t.Errorf("%d, then %d", first.StatusCode, second.StatusCode)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, status(502, "", ""), func(r *config.Route) { r.Errors = "http" })
		if response := listening(t, t.Context(), b); response.StatusCode != 502 {
			t.Errorf("errors: http: %d", response.StatusCode)
		}
	})
}
