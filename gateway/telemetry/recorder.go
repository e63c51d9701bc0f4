// Package telemetry is the one span and its names for each call, and the counters.
//
// A call is a SERVER span; each request to the upstream is a CLIENT span below it. It speaks the
// OpenTelemetry API only: where spans and numbers go is the program's business.
package telemetry

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

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
	tracer     trace.Tracer // nil: spans are off and cost nothing
	propagator propagation.TextMapPropagator
	serving    []trace.SpanStartOption // of a SERVER span
	sending    []trace.SpanStartOption // of a CLIENT span

	server    metric.Float64Histogram
	client    metric.Float64Histogram
	active    metric.Int64UpDownCounter
	refreshes metric.Int64Counter
	dropped   metric.Int64Counter
	panics    metric.Int64Counter
	disagreed metric.Int64Counter
	reloaded  metric.Int64Gauge
	reloadAt  metric.Float64Gauge
	routes    metric.Int64Gauge
	retiring  metric.Int64UpDownCounter

	loads   func() Loads // nil: there are none
	known   known
	scratch sync.Pool              // of *[]attribute.KeyValue, for tell
	hash    atomic.Pointer[string] // of the config that serves; nil: none yet
}

// Options say where spans and numbers go. The zero value records nothing.
type Options struct {
	// Tracers makes spans. Nil: none are made, and no trace context is read or sent.
	Tracers trace.TracerProvider

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
		propagator: o.Propagator, loads: o.Loads,
		serving: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)},
		sending: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient)},
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
	if err := r.instruments(o.Meters.Meter(scope)); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return r, nil
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

// Tracer is what makes the spans, for rooms that have some of their own. Nil when spans are off.
func (r *Recorder) Tracer() trace.Tracer { return r.tracer }

// Refreshed counts one fetch of a route's credentials.
func (r *Recorder) Refreshed(route string, err error) {
	result := "ok"
	if err != nil {
		result = "failed"
	}
	r.refreshes.Add(context.Background(), 1, metric.WithAttributes(
		attribute.String(keyRoute, route), attribute.String(keyResult, result)))
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

// Reloaded notes how the last attempt to apply a config ended, and if well what now serves: so many routes, of
// a config with this hash.
func (r *Recorder) Reloaded(ok bool, at time.Time, routes int, hash string) {
	ctx := context.Background()
	if !ok {
		r.reloaded.Record(ctx, 0)
		return
	}
	r.reloaded.Record(ctx, 1)
	r.reloadAt.Record(ctx, float64(at.UnixMilli())/1e3)
	r.routes.Record(ctx, int64(routes))
	r.hash.Store(&hash)
}

// observeConfig tells the one hash that serves. Recorded by a Gauge instead, all that ever served would stay.
func (r *Recorder) observeConfig(_ context.Context, o metric.Int64Observer) error {
	if hash := r.hash.Load(); hash != nil {
		o.Observe(1, metric.WithAttributes(attribute.String(keyHash, *hash)))
	}
	return nil
}
