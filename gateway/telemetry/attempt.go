package telemetry

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// An Attempt is the CLIENT span of one request to the upstream. It is used by one goroutine.
type Attempt struct {
	call  *Call
	began time.Time
	span  trace.Span           // nil when spans are off
	attrs []attribute.KeyValue // of the span, when it ends
}

// Attempt begins the CLIENT span of the call's nth request, counted from 1, to host:port, and writes its
// trace context into h.
func (c *Call) Attempt(ctx context.Context, h http.Header, host string, port, n int) (context.Context, *Attempt) {
	a := &Attempt{call: c, began: time.Now()}
	tracer := c.recorder.tracer
	if tracer == nil {
		return ctx, a
	}
	ctx, a.span = tracer.Start(ctx, c.message.spanName(), trace.WithSpanKind(trace.SpanKindClient))
	if a.span.IsRecording() {
		a.attrs = append(c.message.attributes(),
			attribute.String(keyServer, host), attribute.Int(keyServerPort, port), attribute.Int(keyAttempt, n))
	}
	c.recorder.propagator.Inject(ctx, propagation.HeaderCarrier(h))
	return ctx, a
}

// Again notes why the request is sent once more: the class of the refusal before it.
func (a *Attempt) Again(reason string) {
	if a.Recording() {
		a.attrs = append(a.attrs, attribute.String(keyRetry, reason))
	}
}

// Recording reports whether anyone will see what is noted.
func (a *Attempt) Recording() bool { return a.span != nil && a.span.IsRecording() }

// Signed notes what the request leaves with.
func (a *Attempt) Signed(s Signature) {
	if a.Recording() {
		a.attrs = s.append(a.attrs)
	}
}

// Answered notes how the upstream answered: HTTP status and protocol ("HTTP/1.1"), and whether the
// connection had served before.
func (a *Attempt) Answered(status int, proto string, reused bool) {
	if !a.Recording() {
		return
	}
	a.attrs = append(a.attrs,
		attribute.Int(keyHTTPStatus, status),
		attribute.String(keyProtocolNumber, protocolNumber(proto)),
		attribute.Bool(keyReused, reused))
}

// End ends the span and counts the request. It is called once. A CLIENT span is an error for every
// JSON-RPC error, whoever was at fault.
func (a *Attempt) End(e Ending) {
	r, m := a.call.recorder, a.call.message
	counted := series{route: m.Route, method: metricMethod(m.Method), errorType: e.errorType(), status: e.Status}
	r.client.Record(context.Background(), time.Since(a.began).Seconds(), r.known.of(counted).record...)
	if a.span == nil {
		return
	}
	a.span.SetAttributes(a.attrs...)
	e.mark(a.span, counted.errorType != "")
	a.span.End()
}

// protocolNumber is "1.1" of "HTTP/1.1" and "2" of "HTTP/2.0".
func protocolNumber(proto string) string {
	switch proto {
	case "HTTP/2.0":
		return "2"
	case "HTTP/1.0":
		return "1.0"
	}
	return "1.1"
}
