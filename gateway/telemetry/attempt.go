package telemetry

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// An Attempt is the CLIENT span of one request to the upstream. It is used by one goroutine, and not copied once it
// is in use.
type Attempt struct {
	call  *Call
	began time.Time
	span  trace.Span // nil when the call's is not recorded

	// what the span is told when it ends
	host      string
	port, n   int
	retry     string // why it is sent once more
	times     int    // for the how manieth time
	signed    bool
	signature Signature
	response  Response
	received  time.Time // zero: when it ends
}

// A Response is how the upstream's response began.
type Response struct {
	// Status and Protocol ("HTTP/1.1") are its own.
	Status   int
	Protocol string

	// Reused says that the connection had served before.
	Reused bool

	// Connected is when there was a connection, and Begun when the response began on it.
	Connected, Begun time.Time
}

// Attempt begins the CLIENT span of the call's nth request, counted from 1, to host:port, and writes its
// trace context into h.
func (c *Call) Attempt(ctx context.Context, h http.Header, host string, port, n int) (context.Context, Attempt) {
	a := Attempt{call: c, began: time.Now(), host: host, port: port, n: n}
	c.attempts = n
	r := c.recorder
	if c.span == nil {
		c.from.into(h)
		return ctx, a
	}
	if c.recording() { // what is below a span that is not recorded is not either
		ctx, a.span = r.tracer.Start(ctx, c.name, r.sending...)
	}
	r.propagator.Inject(ctx, propagation.HeaderCarrier(h))
	return ctx, a
}

// TraceContext is the attempt's own, as an upstream can be told it in params._meta. Empty when spans are off.
func (a *Attempt) TraceContext() (traceparent, tracestate string) {
	span := a.span
	if span == nil {
		span = a.call.span
	}
	if span == nil {
		return "", ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpan(context.Background(), span), carrier)
	return carrier["traceparent"], carrier["tracestate"]
}

// Again notes and counts that the request is sent once more, the reason of the failure before it, and for the how
// manieth time.
func (a *Attempt) Again(reason string, times int) {
	a.retry, a.times = reason, times
	a.call.recorder.retries.Add(context.Background(), 1, metric.WithAttributes(
		attribute.String(keyRoute, a.call.message.Route), attribute.String(keyReason, reason)))
}

// Recording reports whether a span will tell what is noted.
func (a *Attempt) Recording() bool { return a.span != nil && a.span.IsRecording() }

// Signed notes what the request leaves with.
func (a *Attempt) Signed(s Signature) { a.signed, a.signature = true, s }

// Answered notes how the upstream answered.
func (a *Attempt) Answered(r Response) { a.response = r }

// Received notes that nothing more comes from the upstream: what happens until End is not its time any more.
func (a *Attempt) Received() { a.received = time.Now() }

// End ends the span and counts the request. It is called once. A CLIENT span is an error for every
// JSON-RPC error, whoever was at fault.
func (a *Attempt) End(e Ending) {
	c := a.call
	c.last = a
	if a.received.IsZero() {
		a.received = time.Now()
	}
	r, counted := c.recorder, c.series(e, false)
	counted.host, counted.port, counted.status = a.host, a.port, e.Status
	r.client.Record(context.Background(), a.received.Sub(a.began).Seconds(), r.known.of(counted).record...)
	if a.span == nil {
		return
	}
	if a.span.IsRecording() {
		r.tell(a.span, func(attrs []attribute.KeyValue) []attribute.KeyValue {
			return e.attributes(a.attributes(c.message.attributes(attrs)))
		})
	}
	e.close(a.span, counted.errorType != "", trace.WithTimestamp(a.received))
}

// attributes appends those of the CLIENT span alone.
func (a *Attempt) attributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	attrs = append(attrs,
		attribute.String(keyServer, a.host), attribute.Int(keyServerPort, a.port), attribute.Int(keyAttempt, a.n))
	if a.retry != "" {
		attrs = append(attrs, attribute.String(keyRetry, a.retry), attribute.Int(keyResend, a.times))
	}
	if a.signed {
		attrs = a.signature.attributes(attrs)
	}
	return a.response.attributes(attrs, a.began)
}

func (r Response) attributes(attrs []attribute.KeyValue, began time.Time) []attribute.KeyValue {
	if r.Status == 0 {
		return attrs
	}
	attrs = append(attrs,
		attribute.Int(keyHTTPStatus, r.Status),
		attribute.String(keyProtocolNumber, protocolNumber(r.Protocol)),
		attribute.Bool(keyReused, r.Reused))
	if r.Connected.IsZero() {
		return attrs
	}
	return append(attrs,
		attribute.Float64(keyConnWait, r.Connected.Sub(began).Seconds()),
		attribute.Float64(keyFirstByte, r.Begun.Sub(r.Connected).Seconds()))
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
