package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// An Attempt is the CLIENT span of one request to the upstream. It is used by one goroutine.
type Attempt struct {
	call  *Call
	began time.Time
	span  trace.Span // nil when spans are off
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
		a.span.SetAttributes(c.message.attributes()...)
		a.span.SetAttributes(attribute.String(keyServer, host), attribute.Int(keyServerPort, port), attribute.Int(keyAttempt, n))
	}
	c.recorder.propagator.Inject(ctx, propagation.HeaderCarrier(h))
	return ctx, a
}

// Again notes why the request is sent once more, the reason of the failure before it, and for the how manieth time.
func (a *Attempt) Again(reason string, times int) {
	if a.Recording() {
		a.span.SetAttributes(attribute.String(keyRetry, reason), attribute.Int(keyResend, times))
	}
}

// Recording reports whether anyone will see what is noted.
func (a *Attempt) Recording() bool { return a.span != nil && a.span.IsRecording() }

// Signed notes what the request leaves with.
func (a *Attempt) Signed(s Signature) {
	if a.Recording() {
		a.span.SetAttributes(s.attributes()...)
	}
}

// Answered notes how the upstream answered: HTTP status and protocol ("HTTP/1.1"), and whether the
// connection had served before.
func (a *Attempt) Answered(status int, proto string, reused bool) {
	if !a.Recording() {
		return
	}
	a.span.SetAttributes(
		attribute.Int(keyHTTPStatus, status),
		attribute.String(keyProtocolNumber, protocolNumber(proto)),
		attribute.Bool(keyReused, reused))
}

// End ends the span and counts the request. It is called once. A CLIENT span is an error for every
// JSON-RPC error, whoever was at fault.
func (a *Attempt) End(e Ending) {
	m := a.call.message
	attrs := []attribute.KeyValue{
		attribute.String(keyRoute, m.Route), attribute.String(keyMethod, metricMethod(m.Method)),
	}
	t := e.errorType()
	if t != "" {
		attrs = append(attrs, attribute.String(keyErrorType, t))
	}
	if e.Status != 0 {
		attrs = append(attrs, attribute.String(keyHTTPStatus, strconv.Itoa(e.Status)))
	}
	a.call.recorder.client.Record(context.Background(), time.Since(a.began).Seconds(), metric.WithAttributes(attrs...))
	if a.span == nil {
		return
	}
	e.mark(a.span, t != "")
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
