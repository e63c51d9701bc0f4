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
	span  trace.Span // nil when spans are off

	// what the span is told when it ends
	host      string
	port, n   int
	retry     string // why it is sent once more
	times     int    // for the how manieth time
	signature *Signature
	status    int // zero: no answer
	protocol  string
	reused    bool
}

// Attempt begins the CLIENT span of the call's nth request, counted from 1, to host:port, and writes its
// trace context into h.
func (c *Call) Attempt(ctx context.Context, h http.Header, host string, port, n int) (context.Context, *Attempt) {
	a := &Attempt{call: c, began: time.Now(), host: host, port: port, n: n}
	tracer := c.recorder.tracer
	if tracer == nil {
		return ctx, a
	}
	ctx, a.span = tracer.Start(ctx, c.name, c.recorder.sending...)
	c.recorder.propagator.Inject(ctx, propagation.HeaderCarrier(h))
	return ctx, a
}

// Again notes why the request is sent once more, the reason of the failure before it, and for the how manieth time.
func (a *Attempt) Again(reason string, times int) { a.retry, a.times = reason, times }

// Recording reports whether anyone will see what is noted.
func (a *Attempt) Recording() bool { return a.span != nil && a.span.IsRecording() }

// Signed notes what the request leaves with.
func (a *Attempt) Signed(s Signature) { a.signature = &s }

// Answered notes how the upstream answered: HTTP status and protocol ("HTTP/1.1"), and whether the
// connection had served before.
func (a *Attempt) Answered(status int, proto string, reused bool) {
	a.status, a.protocol, a.reused = status, proto, reused
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
	if a.span.IsRecording() {
		r.tell(a.span, func(attrs []attribute.KeyValue) []attribute.KeyValue { return a.attributes(m.attributes(attrs)) })
	}
	e.mark(a.span, counted.errorType != "")
	a.span.End()
}

// attributes appends those of the CLIENT span alone.
func (a *Attempt) attributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	attrs = append(attrs,
		attribute.String(keyServer, a.host), attribute.Int(keyServerPort, a.port), attribute.Int(keyAttempt, a.n))
	if a.retry != "" {
		attrs = append(attrs, attribute.String(keyRetry, a.retry), attribute.Int(keyResend, a.times))
	}
	if a.signature != nil {
		attrs = a.signature.attributes(attrs)
	}
	if a.status == 0 {
		return attrs
	}
	return append(attrs,
		attribute.Int(keyHTTPStatus, a.status),
		attribute.String(keyProtocolNumber, protocolNumber(a.protocol)),
		attribute.Bool(keyReused, a.reused))
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
