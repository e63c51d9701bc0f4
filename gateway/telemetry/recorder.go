// Package telemetry is the one span and its names for each call, and the counters.
//
// A call is a SERVER span; each request to the upstream is a CLIENT span below it. It speaks the
// OpenTelemetry API only: where spans and numbers go is the program's business.
package telemetry

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// scope is the instrumentation scope of all our spans and instruments.
const scope = "signet"

// A Recorder makes the spans and counts of one gateway. It is safe for concurrent use.
type Recorder struct {
	// fixed at build
	tracer     trace.Tracer // nil: spans are off and cost nothing
	traced     func() bool  // nil: always
	propagator propagation.TextMapPropagator
	serving    []trace.SpanStartOption // of a SERVER span
	sending    []trace.SpanStartOption // of a CLIENT span
	loads      func() Loads            // nil: there are none
	instruments

	// as it goes
	known          known
	targets, codes words
	sessions       sessions
	scratch        sync.Pool              // of *[]attribute.KeyValue, for tell
	hash           atomic.Pointer[string] // of the config that serves; nil: none yet
	captures       atomic.Bool            // Capture
}

// Options say where spans and numbers go. The zero value records nothing.
type Options struct {
	// Tracers makes spans. Nil: none are made.
	Tracers trace.TracerProvider

	// Traced reports whether Tracers' spans go anywhere just now: while they do not none are made, and a caller's
	// trace goes by untouched. Nil: they do.
	Traced func() bool

	// Meters makes instruments. Nil: nothing is counted.
	Meters metric.MeterProvider

	// Propagator reads the caller's trace context and writes ours. Nil: W3C Trace Context, and no baggage,
	// which would carry a client's words into another trust domain.
	Propagator propagation.TextMapPropagator

	// Loads is asked whenever numbers are read. Nil: there is nothing to ask for.
	Loads func() Loads
}

// New makes a Recorder. It fails only when an instrument cannot be made.
func New(o Options) (*Recorder, error) {
	r := &Recorder{
		propagator: o.Propagator, loads: o.Loads, traced: o.Traced,
		serving:  []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)},
		sending:  []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient)},
		sessions: sessions{seed: maphash.MakeSeed()},
	}
	if r.propagator == nil {
		r.propagator = propagation.TraceContext{}
	}
	if o.Tracers != nil {
		r.tracer = o.Tracers.Tracer(scope)
	}
	if o.Meters == nil {
		o.Meters = metricnoop.NewMeterProvider()
	}
	if err := r.make(o.Meters.Meter(scope)); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	// What should never happen is there before it does: of a series that begins at 1 nobody sees that it rose.
	none := metric.WithAttributes(attribute.String(keyRoute, ""))
	r.dropped.Add(context.Background(), 0, none)
	r.panics.Add(context.Background(), 0, none)
	return r, nil
}

// tracing reports whether spans are made.
func (r *Recorder) tracing() bool { return r.tracer != nil && (r.traced == nil || r.traced()) }

// Capture says whether the arguments of tools are told of calls that begin from now on. They are not until it does.
func (r *Recorder) Capture(arguments bool) { r.captures.Store(arguments) }

// Captures reports what Capture said last.
func (r *Recorder) Captures() bool { return r.captures.Load() }

// arguments appends those of a tool, if that is wanted.
func (r *Recorder) arguments(attrs []attribute.KeyValue, m Message) []attribute.KeyValue {
	if len(m.Arguments) == 0 || !r.captures.Load() {
		return attrs
	}
	return append(attrs, attribute.String(keyArguments, cut(string(m.Arguments[:min(len(m.Arguments), maxArguments+1)]), maxArguments)))
}

// tell gives a span what list appends, all at once: a span copies what it is given, and grows for each time.
// Lists made anew for each span were a tenth of a call's garbage.
func (r *Recorder) tell(span trace.Span, list func([]attribute.KeyValue) []attribute.KeyValue) {
	attrs, ok := r.scratch.Get().(*[]attribute.KeyValue)
	if !ok {
		attrs = new([]attribute.KeyValue)
	}
	*attrs = list((*attrs)[:0])
	span.SetAttributes(*attrs...)
	clear(*attrs)
	r.scratch.Put(attrs)
}

// Tracer is what makes the spans, for rooms that have some of their own. Nil when there are never any.
func (r *Recorder) Tracer() trace.Tracer { return r.tracer }

// Refreshed counts one fetch of a route's credentials, which failed for a reason, or did not.
func (r *Recorder) Refreshed(route, reason string) {
	attrs := []attribute.KeyValue{attribute.String(keyRoute, route), attribute.String(keyResult, "ok")}
	if reason != "" {
		attrs = []attribute.KeyValue{
			attribute.String(keyRoute, route), attribute.String(keyResult, "failed"), attribute.String(keyErrorType, reason),
		}
	}
	r.refreshes.Add(context.Background(), 1, metric.WithAttributes(attrs...))
}

// Dropped counts a notification that could not be delivered although its sender was told 202.
func (r *Recorder) Dropped(route string) {
	r.dropped.Add(context.Background(), 1, metric.WithAttributes(attribute.String(keyRoute, route)))
}

// Panicked counts a request that ended in a panic of ours. Route is empty when it had not come to one.
func (r *Recorder) Panicked(route string) {
	r.panics.Add(context.Background(), 1, metric.WithAttributes(attribute.String(keyRoute, route)))
}

// Retiring counts routes that were replaced or removed and are still held: one more, or one fewer.
func (r *Recorder) Retiring(n int64) { r.retiring.Add(context.Background(), n) }
