package telemetry

import (
	"context"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace/noop"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// nowhere is a SpanProcessor that drops what ends.
type nowhere struct{}

func (nowhere) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (nowhere) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (nowhere) Shutdown(context.Context) error                  { return nil }
func (nowhere) ForceFlush(context.Context) error                { return nil }

// recorded makes a Recorder as the program has one, and a call of it from its beginning to its end.
func recorded(t testing.TB, o Options) (call func()) {
	t.Helper()
	o.Meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, in, out := t.Context(), http.Header{}, http.Header{}
	m := Message{
		Route: "aws", Snapshot: 1, Caller: "alice", Remote: "127.0.0.1:5000", Method: "tools/call", Name: "read",
		ID: []byte("123"), Version: "2025-11-25", Session: "s1", Size: 100,
	}
	// Where a gateway has them: in what it makes for a call anyway.
	var c Call
	var a Attempt
	return func() {
		var ctx context.Context = ctx
		ctx, c = r.Call(ctx, in, m)
		_, a = c.Attempt(ctx, out, "up.example", 443, 1)
		if a.Recording() {
			a.Signed(Signature{Source: "environment", Generation: 1, KeyID: "AKIA…1234", Age: 1})
		}
		a.Answered(Response{Status: 200, Protocol: "HTTP/1.1", Reused: true, Connected: time.Now(), Begun: time.Now()})
		a.End(Ending{Status: 200})
		c.End(Ending{Status: 200})
	}
}

// costs are the ways to record, and how many allocations a call may cost in each.
func costs() map[string]struct {
	options Options
	most    float64
} {
	tracers := func(s sdktrace.Sampler) Options {
		return Options{Tracers: sdktrace.NewTracerProvider(sdktrace.WithSampler(s), sdktrace.WithSpanProcessor(nowhere{}))}
	}
	return map[string]struct {
		options Options
		most    float64
	}{
		"off":       {Options{}, 0},
		"nowhere":   {nowhereNow(), 0},
		"unsampled": {tracers(sdktrace.NeverSample()), 8},
		"sampled":   {tracers(sdktrace.AlwaysSample()), 30}, // 24, but the race detector has pools lose things
	}
}

// nowhereNow are tracers as the program has them while spans go nowhere.
func nowhereNow() Options {
	return Options{Tracers: noop.NewTracerProvider(), Traced: func() bool { return false }}
}

func TestACallIsRecordedWithinItsAllocations(t *testing.T) {
	for name, c := range costs() {
		call := recorded(t, c.options)
		if n := testing.AllocsPerRun(1000, call); n > c.most {
			t.Errorf("spans %s: %v allocations, at most %v", name, n, c.most)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	for name, c := range costs() {
		b.Run(name, func(b *testing.B) {
			call := recorded(b, c.options)
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}
