package telemetry

import (
	"context"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// A Call is one inbound message's span and timer. It is used by one goroutine, and not copied once it is in use.
type Call struct {
	recorder *Recorder
	message  Message
	began    time.Time
	counting options // of its route

	// of spans
	name string     // of its spans
	span trace.Span // nil when spans are off
	from passing    // the caller's, when spans are off

	// as it goes
	attempts int
	queued   time.Duration // for its place
	signing  time.Duration // for credentials
	last     *Attempt      // nil: nothing was sent
}

// Call begins the span of an inbound message. The context carries it on.
func (r *Recorder) Call(ctx context.Context, h http.Header, m Message) (context.Context, Call) {
	c := Call{recorder: r, message: m, began: time.Now(), counting: r.known.of(series{route: m.Route})}
	r.active.Add(ctx, 1, c.counting.add...)
	if !r.tracing() {
		c.from = passedOn(h)
		return ctx, c
	}
	c.name = m.spanName()
	ctx, links := r.parent(ctx, h, m)
	options := r.serving
	if links != nil {
		options = append(slices.Clip(options), trace.WithLinks(links...))
	}
	ctx, c.span = r.tracer.Start(ctx, c.name, options...)
	if c.recording() {
		r.tell(c.span, func(attrs []attribute.KeyValue) []attribute.KeyValue {
			return r.arguments(m.origin(m.attributes(attrs)), m)
		})
	}
	return ctx, c
}

// recording reports whether there is a span that will be seen.
func (c *Call) recording() bool { return c.span != nil && c.span.IsRecording() }

// parent is the caller's trace context: that of params._meta when it is valid, with a link to the one of
// the headers if that is another, else that of the headers.
func (r *Recorder) parent(ctx context.Context, h http.Header, m Message) (context.Context, []trace.Link) {
	byHeader := r.propagator.Extract(ctx, bounded{propagation.HeaderCarrier(h)})
	if m.Traceparent == "" {
		return byHeader, nil
	}
	byMeta := propagation.TraceContext{}.Extract(ctx, bounded{propagation.MapCarrier{
		"traceparent": m.Traceparent, "tracestate": m.Tracestate,
	}})
	parent := trace.SpanContextFromContext(byMeta)
	if !parent.IsValid() {
		return byHeader, nil
	}
	ambient := trace.SpanContextFromContext(byHeader)
	if !ambient.IsValid() || ambient.SpanID() == parent.SpanID() {
		return byMeta, nil
	}
	return byMeta, []trace.Link{{SpanContext: ambient}}
}

// TraceID is the call's trace, for the error a client sees. Empty when there is none.
func (c *Call) TraceID() string {
	switch {
	case c.span != nil && c.span.SpanContext().HasTraceID():
		return c.span.SpanContext().TraceID().String()
	case c.from.parent != nil:
		return c.from.parent[0][3:35]
	}
	return ""
}

// End ends the span and counts the call. It is called once, after the last byte.
func (c *Call) End(e Ending) {
	ctx, r := context.Background(), c.recorder
	r.active.Add(ctx, -1, c.counting.add...)
	c.meet(e)
	r.server.Record(ctx, time.Since(c.began).Seconds(), r.known.of(c.series(e, true)).record...)
	if c.recording() {
		r.tell(c.span, func(attrs []attribute.KeyValue) []attribute.KeyValue { return c.history(e.attributes(attrs)) })
	}
	if c.span != nil {
		e.close(c.span, e.serverFault())
	}
}

// series is what a call or an attempt that ended so is counted under. Words count as met once a call, at its end.
func (c *Call) series(e Ending, end bool) series {
	m, r := c.message, c.recorder
	return series{
		route: m.Route, method: metricMethod(m.Method),
		target: r.targets.of(m.Route, m.target(), end && e.good()), errorType: r.errorType(m.Route, e, end),
	}
}

// history appends what became of the call on its way.
func (c *Call) history(attrs []attribute.KeyValue) []attribute.KeyValue {
	if c.queued != 0 {
		attrs = append(attrs, attribute.Float64(keyWait, c.queued.Seconds()))
	}
	if c.signing != 0 {
		attrs = append(attrs, attribute.Float64(keySignWait, c.signing.Seconds()))
	}
	if c.attempts > 1 {
		attrs = append(attrs, attribute.Int(keyRetries, c.attempts-1))
	}
	return attrs
}
