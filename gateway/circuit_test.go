package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"signet/config"
)

// circuit is the word for what the circuit of route r does.
func (b *bench) circuit() string { return b.gateway.current.Load().routes["r"].places.State().Circuit }

// refusedFor checks that a call is refused at once by an open circuit, and is for how long it says so.
func (b *bench) refusedFor(t *testing.T) (ms int) {
	t.Helper()
	began := time.Now()
	response, body := b.post(t, "r", callBody)
	_, rest, _ := strings.Cut(body, `"retry_after_ms":`)
	_, _ = fmt.Sscanf(rest, "%d,", &ms)
	for _, words := range []string{`"id":9007199254740993`, `"code":-31001`, `"reason":"circuit_open"`, `"retryable":true`, `"outcome":"not_sent"`, "(breaker)"} {
		if !strings.Contains(body, words) || response.StatusCode != 200 || time.Since(began) != 0 {
			t.Fatalf("%s after %s: %d %s", words, time.Since(began), response.StatusCode, body)
		}
	}
	return ms
}

func TestFault_F20_TheCircuitOpensAndClosesExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails, calls := true, 0
		b := beside(t, func(w http.ResponseWriter, r *http.Request) {
			calls++
			if fails {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			answering(callAnswer)(w, r)
		}, nil)
		fail := func(times int, failing bool) {
			t.Helper()
			fails = failing
			for range times {
				before := calls
				if _, body := b.post(t, "r", callBody); calls != before+1 || (body == callAnswer) == failing {
					t.Fatalf("after %d calls: %s", before, body)
				}
			}
		}
		for range 3 { // flapping: never five in a row
			fail(4, true)
			fail(1, false)
		}
		if b.circuit() != "closed" {
			t.Fatalf("four failures and an answer, three times: %s", b.circuit())
		}
		fail(5, true)
		for _, open := range []time.Duration{5, 10, 20, 40, 60, 60} {
			open *= time.Second
			if ms := b.refusedFor(t); ms != int(open.Milliseconds()) || b.circuit() != "open" {
				t.Errorf("%s for %d ms, want %s", b.circuit(), ms, open)
			}
			b.atOnce(t)
			<-time.After(open - time.Millisecond)
			if ms := b.refusedFor(t); ms != 1 {
				t.Errorf("a moment before: %d ms", ms)
			}
			<-time.After(time.Millisecond)
			if b.circuit() != "half_open" {
				t.Errorf("after %s: %s", open, b.circuit())
			}
			fail(1, true) // the one that tries
		}
		<-time.After(time.Minute)
		fail(1, false)
		if b.circuit() != "closed" {
			t.Errorf("after an answer: %s", b.circuit())
		}
		fail(4, true)
		fail(1, false)
		told := refusals(b.spans.GetSpans())
		if want := (map[string]int{"server status": 3*4 + 5 + 6 + 4, "client status": 3*4 + 5 + 6 + 4, "server circuit_open": 12}); !maps.Equal(told, want) {
			t.Errorf("the spans tell of %v, want %v", told, want)
		}
	})
}

// refusals is how many spans of which kind have which error.type.
func refusals(spans tracetest.SpanStubs) map[string]int {
	n := map[string]int{}
	for _, s := range spans {
		for _, a := range s.Attributes {
			if a.Key == "error.type" {
				n[fmt.Sprintf("%s %s", s.SpanKind, a.Value.AsString())]++
			}
		}
	}
	return n
}

func TestFault_F20_OnlyFailuresOfTheInfrastructureCount(t *testing.T) {
	const theirs = `{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":-32603,"message":"m"}}`
	hang := func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }
	dials := func(err error) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: err}
		}
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		change  func(*config.Route)
		dial    func(context.Context, string, string) (net.Conn, error) // nil: to the handler
		opens   bool
	}{
		"no such host":          {nil, nil, dials(&net.DNSError{Err: "no such host", IsNotFound: true}), true},
		"refused":               {nil, nil, dials(syscall.ECONNREFUSED), true},
		"nobody answers a dial": {nil, nil, func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }, true},
		"no TLS":                {status(200, "text/plain", ""), func(r *config.Route) { r.Upstream = "https://up.test:80/mcp" }, nil, true},
		"reset before headers":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, nil, true},
		"silent":                {hang, nil, nil, true},
		"silent to the end":     {hang, func(r *config.Route) { r.Timeouts.FirstByte, r.Timeouts.Call = 0, time.Minute }, nil, true},
		"500 of a server":       {status(500, "text/html", "<h1>"), nil, nil, true},
		"500 of AWS":            {status(500, "application/json", `{"message":"InternalServerException"}`), nil, nil, true},
		"502":                   {status(502, "text/html", ""), nil, nil, true},
		"503":                   {status(503, "text/plain", ""), nil, nil, true},
		"504":                   {status(504, "text/plain", ""), nil, nil, true},
		"a 502 that breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(502)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, nil, nil, true},

		"an error of the server":         {answering(theirs), nil, nil, false},
		"500 with an error of its":       {status(500, "application/json", theirs), nil, nil, false},
		"a tool's error":                 {answering(`{"jsonrpc":"2.0","id":9007199254740993,"result":{"isError":true}}`), nil, nil, false},
		"400":                            {status(400, "text/plain", ""), nil, nil, false},
		"401":                            {status(401, "text/plain", ""), nil, nil, false},
		"404":                            {status(404, "text/html", ""), nil, nil, false},
		"429":                            {status(429, "text/plain", ""), nil, nil, false},
		"503 that says when":             {status(503, "text/plain", "", "Retry-After", "3"), nil, nil, false},
		"a redirect":                     {status(302, "", "", "Location", "/x"), nil, nil, false},
		"a web page":                     {status(200, "text/html", "<h1>"), nil, nil, false},
		"a stream that breaks off":       {func(w http.ResponseWriter, _ *http.Request) { events(w)(event(progress)); panic(http.ErrAbortHandler) }, nil, nil, false},
		"no files left on this machine":  {nil, nil, dials(syscall.EMFILE), false},
		"a breaker that is off, and 502": {status(502, "", ""), func(r *config.Route) { r.Breaker.Failures = 0 }, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := beside(t, test.handler, test.change)
				if test.dial != nil {
					b.gateway.current.Load().routes["r"].pool.connections.dialer = dialer(test.dial).within(5 * time.Second)
				}
				for i := range 5 {
					if got := b.circuit(); got == "open" {
						t.Fatalf("%s after %d", got, i)
					}
					b.post(t, "r", callBody)
				}
				b.atOnce(t)
				if got := b.circuit(); (got == "open") != test.opens {
					t.Errorf("%s after five", got)
				}
			})
		})
	}
}

func TestFault_F20_CallsThatWereEndedFromOutsideSayNothing(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }
	t.Run("the client left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := beside(t, hang, nil)
			for range 8 {
				ctx, leave := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, leave)
				if _, err := b.client.Do(request(t, "r", callBody).WithContext(ctx)); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			b.atOnce(t)
			if got := b.circuit(); got != "closed" {
				t.Error(got)
			}
		})
	})
	t.Run("the route was replaced", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := beside(t, hang, nil)
			cfg := *b.gateway.current.Load().config
			answers := b.crowd(t, "", "r", 8)
			b.atOnce(t)
			cfg.Drain = 0
			if _, err := b.gateway.Reload(t.Context(), edited(&cfg, "r", func(r *config.Route) { r.Headers = map[string]string{"X": "1"} }), nil); err != nil {
				t.Fatal(err)
			}
			for range 8 {
				if got := <-answers; !strings.Contains(got, `"code":-31021`) {
					t.Error(got)
				}
			}
			if got := b.circuit(); got != "closed" {
				t.Error(got)
			}
		})
	})
}

func TestACircuitThatTriesTakesHeadersForAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handler http.HandlerFunc = status(502, "", "")
		b := alone(t, func(w http.ResponseWriter, r *http.Request) { handler(w, r) }, nil)
		for range 5 {
			b.post(t, "r", callBody)
		}
		<-time.After(5 * time.Second)
		begin := make(chan struct{})
		up := &busy{finish: make(chan struct{})}
		handler = func(w http.ResponseWriter, r *http.Request) { <-begin; up.ServeHTTP(w, r) }
		answers := b.crowd(t, "", "r", 1)
		b.refusedFor(t) // while the one that tries has no answer
		close(begin)
		synctest.Wait()
		handler = answering(callAnswer)
		if _, body := b.post(t, "r", callBody); body != callAnswer || len(answers) > 0 {
			t.Errorf("while the one that tried streams its answer: %s", body)
		}
		close(up.finish)
		if got := <-answers; got != theWhole {
			t.Error(got)
		}
	})
}

func TestAnotherHostHasACircuitOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		cfg := settings(map[string]config.Route{"r": plain(upstream(t, n, "up.test", status(502, "", "")))})
		b := newBench(t, n, cfg, Options{})
		for range 5 {
			b.post(t, "r", callBody)
		}
		reload := func(change func(*config.Route)) {
			t.Helper()
			if _, err := b.gateway.Reload(t.Context(), edited(cfg, "r", change), nil); err != nil {
				t.Fatal(err)
			}
		}
		reload(func(r *config.Route) { r.Upstream += "?x=1"; r.Limits.Calls = 7 })
		b.refusedFor(t) // the same host, which still fails
		moved := upstream(t, n, "new.test", answering(callAnswer))
		reload(func(r *config.Route) { r.Upstream = moved })
		if _, body := b.post(t, "r", callBody); body != callAnswer {
			t.Errorf("the new host: %s", body)
		}
	})
}

// What failed was the old way to the upstream: its proxy, CA or dial address. The new one is not kept waiting for it.
func TestAReloadOfTheWayToTheUpstreamRenewsTheCircuit(t *testing.T) {
	for change, want := range map[string]string{"pool": "closed", "headers": "open"} {
		synctest.Test(t, func(t *testing.T) {
			b := alone(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, nil)
			for range 5 {
				b.post(t, "r", callBody)
			}
			b.refusedFor(t)
			cfg := settings(map[string]config.Route{"r": b.gateway.current.Load().routes["r"].config})
			next := edited(cfg, "r", func(r *config.Route) {
				if change == "pool" {
					r.Pool.MaxConnections++
				} else {
					r.Headers = map[string]string{"X-A": "b"}
				}
			})
			if _, err := b.gateway.Reload(t.Context(), next, nil); err != nil {
				t.Fatal(err)
			}
			if got := b.circuit(); got != want {
				t.Errorf("after another %s: %s, want %s", change, got, want)
			}
		})
	}
}
