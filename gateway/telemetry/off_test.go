package telemetry

import (
	"net/http"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func TestWhileSpansAreOffACallersTraceGoesByUntouched(t *testing.T) {
	const parent = "00-22222222222222222222222222222222-2222222222222222-01"
	for name, test := range map[string]struct {
		in   http.Header
		want string // traceparent and tracestate
	}{
		"none":            {http.Header{}, ""},
		"one":             {http.Header{"Traceparent": {parent}, "Tracestate": {"a=b"}, "Baggage": {"c=d"}}, parent + " a=b"},
		"two":             {http.Header{"Traceparent": {parent, parent}}, ""},
		"no hexadecimals": {http.Header{"Traceparent": {strings.Replace(parent, "2", "x", 1)}}, ""},
		"no trace":        {http.Header{"Traceparent": {strings.ReplaceAll(parent, "2", "0")}}, ""},
		"too long":        {http.Header{"Traceparent": {parent + "-and-more"}}, ""},
		"a long state":    {http.Header{"Traceparent": {parent}, "Tracestate": {strings.Repeat("x", maxTracestate+1)}}, parent},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := New(nowhereNow())
			if err != nil {
				t.Fatal(err)
			}
			out := http.Header{}
			ctx, call := r.Call(t.Context(), test.in, Message{Method: "ping"})
			_, attempt := call.Attempt(ctx, out, "h", 1, 1)
			attempt.Signed(Signature{Generation: 1, KeyID: "k"})
			attempt.Again("expired", 1)
			attempt.Answered(Response{Status: 200, Protocol: "HTTP/1.1"})
			attempt.End(Ending{})
			call.End(Ending{})
			if got := strings.TrimSpace(out.Get("traceparent") + " " + out.Get("tracestate")); got != test.want || out.Get("baggage") != "" {
				t.Errorf("the upstream is told %q (%v), want %q", got, out, test.want)
			}
			id := ""
			if test.want != "" {
				id = parent[3:35]
			}
			if call.TraceID() != id || ctx != t.Context() {
				t.Errorf("trace %q, want %q", call.TraceID(), id)
			}
		})
	}
}

func TestATraceContextThatIsTooLongIsNotRead(t *testing.T) {
	r, exporter := spans(t)
	h := http.Header{}
	h.Set("traceparent", "00-22222222222222222222222222222222-2222222222222222-01")
	h.Set("tracestate", "a="+strings.Repeat("x", maxTracestate))
	_, call := r.Call(t.Context(), h, Message{Method: "ping"})
	call.End(Ending{})
	got := exporter.GetSpans()[0]
	if !got.Parent.IsValid() || got.Parent.TraceState().Len() != 0 {
		t.Errorf("parent %v with state %q", got.Parent, got.Parent.TraceState())
	}
}

func TestAnAttemptHasATraceContextToTellInTheMessage(t *testing.T) {
	r, _ := spans(t)
	h := http.Header{}
	ctx, call := r.Call(t.Context(), http.Header{}, Message{Method: "tools/call"})
	_, attempt := call.Attempt(ctx, h, "h", 1, 1)
	if parent, state := attempt.TraceContext(); parent != h.Get("traceparent") || parent == "" || state != "" {
		t.Errorf("%q and %q, want %q", parent, state, h.Get("traceparent"))
	}
	off, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, call = off.Call(t.Context(), http.Header{}, Message{})
	_, attempt = call.Attempt(ctx, http.Header{}, "h", 1, 1)
	if parent, _ := attempt.TraceContext(); parent != "" {
		t.Errorf("%q while spans are off", parent)
	}
}

// A call that is not recorded has no CLIENT span either, and the upstream is told not to record what is below it.
func TestACallThatIsNotSampledTellsTheUpstreamSo(t *testing.T) {
	o := Options{Tracers: sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	out := http.Header{}
	ctx, call := r.Call(t.Context(), http.Header{}, Message{Method: "ping"})
	_, attempt := call.Attempt(ctx, out, "h", 1, 1)
	want := "00-" + call.TraceID() + "-" + call.span.SpanContext().SpanID().String() + "-00"
	if parent, _ := attempt.TraceContext(); out.Get("traceparent") != want || parent != want {
		t.Errorf("the upstream is told %q, in the message %q, want %q", out.Get("traceparent"), parent, want)
	}
	attempt.End(Ending{})
	call.End(Ending{})
}
