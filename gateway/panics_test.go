package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"signet/config"
	"signet/gateway/envelope"
)

// panics is how many the gateway has counted, by what reader reads.
func panics(t *testing.T, reader sdkmetric.Reader) (n int64) {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	for _, s := range got.ScopeMetrics {
		for _, m := range s.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "signet.panics" {
				for _, p := range sum.DataPoints {
					n += p.Value
				}
			}
		}
	}
	return n
}

// Row P11: a panic where the call is served, and one in the goroutine that net/http dials in.
func TestFault_P11_APanicIsTheAnswerOfOneCall(t *testing.T) {
	const secret = "CANARY-of-a-panic"
	for name, broken := range map[string]bool{"in a handler": false, "in a goroutine of a route": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, reader := newNetwork(), sdkmetric.NewManualReader()
				route := secretive(t, plain(upstream(t, n, "up.test", answering(callAnswer))))
				b := witnessed(t, n, settings(map[string]config.Route{"r": route}),
					Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
				r := b.gateway.current.Load().routes["r"]
				if broken {
					dial := dialer(func(context.Context, string, string) (net.Conn, error) { panic(errors.New(secret)) })
					r.pool.connections.dialer = dial.within(r.config.Timeouts.Connect)
				} else {
					r.upstream = nil
				}
				for range 3 {
					response, body := b.post(t, "r", callBody)
					for _, words := range []string{`"id":9007199254740993`, `"code":-31003`, `"reason":"internal"`, `"outcome":"unknown"`, `"route":"r"`} {
						if response.StatusCode != 200 || !strings.Contains(body, words) {
							t.Errorf("%d %s: want 200 and %s", response.StatusCode, body, words)
						}
					}
					b.atOnce(t)
				}
				b.idle(t)
				if got := panics(t, reader); got != 3 {
					t.Errorf("%d panics are counted", got)
				}
				text := string(b.witness.log.bytes())
				if strings.Count(text, `"a call panicked"`) != 3 || !strings.Contains(text, "goroutine") || strings.Contains(text, secret) {
					t.Error(text)
				}
				said := 0
				for _, s := range b.spans.GetSpans() {
					if line := spoken(s); strings.HasPrefix(line, "server") && strings.Contains(line, "error.type=internal") {
						said++
					}
				}
				if said != 3 {
					t.Errorf("%d spans tell of it", said)
				}
			})
		})
	}
}

func TestFault_P11_APanicInAStreamIsItsLastEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := beside(t, answering(callAnswer), nil)
		rt := f.gateway.current.Load().routes["r"]
		play := func(kind string) (w *httptest.ResponseRecorder, aborted any) {
			w = httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, "/r", strings.NewReader(callBody))
			r.Header.Set("Content-Type", "application/json")
			defer func() { aborted = recover() }()
			rt.serve(w, r, "", func(c *call) {
				c.w.Header().Set("Content-Type", kind)
				_, _ = io.WriteString(c.w, "begun ")
				c.begun = true
				f.atOnce(t)
				panic("no")
			})
			return w, nil
		}
		w, aborted := play("text/event-stream")
		f.witness.heard("r", http.MethodPost, w.Code, w.Body.String())
		if aborted != nil || !strings.Contains(w.Body.String(), "begun event: message\ndata: "+`{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":-31003`) {
			t.Errorf("%v, %s", aborted, w.Body)
		}
		w, aborted = play("application/json")
		f.witness.ended("r", "internal")
		if aborted != http.ErrAbortHandler || w.Body.String() != "begun " {
			t.Errorf("%v, %s: want the connection cut", aborted, w.Body)
		}
	})
}

func TestFault_P11_APanicBeforeThereIsACallIsAnsweredToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := beside(t, answering(callAnswer), nil)
		s := f.gateway.current.Load()
		guard := s.guard
		s.guard = nil
		w := httptest.NewRecorder()
		f.gateway.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/r", nil))
		s.guard = guard
		if w.Code != 500 || !strings.Contains(w.Body.String(), `"reason":"internal"`) || envelope.CodeBadResponse != -31003 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		f.atOnce(t)
	})
}
