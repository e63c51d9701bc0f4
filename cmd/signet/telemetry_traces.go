package main

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"signet/config"
)

// prepareTraces makes what spans are sent by.
func (t *telemetry) prepareTraces(ctx context.Context, c config.Telemetry) (commit func(), err error) {
	exporter, err := spanExporter(ctx, t.environ, c)
	if err != nil {
		return nil, err
	}
	if exporter == nil {
		return func() {
			t.exports.traces.goTo("", nil, 0)
			t.use(nil, c)
		}, nil
	}
	batch := t.batch(exporter)
	next := t.newProvider(c, batch)
	return func() {
		t.exports.traces.goTo(spanDestination(t.environ, c), &batch.waiting, batch.limit)
		t.use(next, c)
	}, nil
}

// use puts next, which may be nil, in the place of the current provider.
func (t *telemetry) use(next *sdktrace.TracerProvider, c config.Telemetry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.provider
	t.provider, t.config = next, c
	if next == nil {
		t.tracers.use(nil)
	} else {
		t.tracers.use(next)
	}
	if old != nil {
		t.retire(old.Shutdown)
	}
}

func (t *telemetry) newProvider(c config.Telemetry, p sdktrace.SpanProcessor) *sdktrace.TracerProvider {
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(t.resource), sdktrace.WithSpanProcessor(p)}
	if t.environ.get("OTEL_TRACES_SAMPLER") == "" {
		sampler := sdktrace.ParentBased(sdktrace.TraceIDRatioBased(c.Sample))
		if q, ok := p.(*spanQueue); ok {
			sampler = roomSampler{sampler, q}
		}
		options = append(options, sdktrace.WithSampler(sampler))
	}
	return sdktrace.NewTracerProvider(options...)
}

// batch exports beside the calls.
func (t *telemetry) batch(e sdktrace.SpanExporter) *spanQueue {
	q := &spanQueue{of: t.exports.traces, limit: t.environ.number("OTEL_BSP_MAX_QUEUE_SIZE", sdktrace.DefaultMaxQueueSize)}
	var options []sdktrace.BatchSpanProcessorOption
	if t.environ.get("OTEL_BSP_EXPORT_TIMEOUT") == "" {
		options = append(options, sdktrace.WithExportTimeout(exportTime))
	}
	q.SpanProcessor = sdktrace.NewBatchSpanProcessor(countedSpans{e, q}, options...)
	return q
}

// A spanQueue is a batch processor that lets no more spans wait than its queue holds, those being sent included, so
// that each that is dropped is counted. It never blocks.
type spanQueue struct {
	sdktrace.SpanProcessor
	of      *export
	limit   int
	waiting atomic.Int64
}

// OnEnd lets a span wait to be sent, or drops it.
func (q *spanQueue) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() && q.of.admit(&q.waiting, q.limit) {
		q.SpanProcessor.OnEnd(s)
	}
}

// A roomSampler records no span while the queue is full: it would be dropped at its end, having cost a call what it
// is made of.
type roomSampler struct {
	sdktrace.Sampler
	queue *spanQueue
}

// ShouldSample samples as its sampler does, if there is room.
func (r roomSampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	result := r.Sampler.ShouldSample(p)
	if result.Decision == sdktrace.RecordAndSample && r.queue.waiting.Load() >= int64(r.queue.limit) {
		r.queue.of.full.Add(1)
		result.Decision = sdktrace.Drop
	}
	return result
}

// countedSpans count what becomes of the spans of a queue.
type countedSpans struct {
	sdktrace.SpanExporter
	queue *spanQueue
}

// ExportSpans sends spans.
func (c countedSpans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := c.SpanExporter.ExportSpans(ctx, spans)
	c.queue.waiting.Add(-int64(len(spans)))
	c.queue.of.ended(len(spans), err)
	return err
}

// spanExporter is what the environment names, else what c does; nil when that is none.
func spanExporter(ctx context.Context, env environ, c config.Telemetry) (sdktrace.SpanExporter, error) {
	switch name := spanDestination(env, c); {
	case name == "none":
		return nil, nil
	case name == "console" && env.get("OTEL_TRACES_EXPORTER") == "":
		return stdouttrace.New()
	}
	return autoexport.NewSpanExporter(ctx) // reads OTEL_EXPORTER_OTLP_*; its default is otlp
}

// spanDestination is otlp, console, none, or whatever else OTEL_TRACES_EXPORTER says.
func spanDestination(env environ, c config.Telemetry) string {
	if env.get("OTEL_SDK_DISABLED") == "true" {
		return "none"
	}
	if name := env.get("OTEL_TRACES_EXPORTER"); name != "" {
		return name
	}
	if env.get("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || env.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "" {
		return "otlp"
	}
	return c.Traces
}

// collect has every span kept by keep as it ends, for as long as the config's block stays c.
func (t *telemetry) collect(c config.Telemetry, keep func(endedSpan)) {
	t.use(t.newProvider(c, &spanCollector{keep: keep}), c)
}

// A spanCollector is a SpanProcessor that exports nothing.
type spanCollector struct{ keep func(endedSpan) }

var _ sdktrace.SpanProcessor = (*spanCollector)(nil)

func (c *spanCollector) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (c *spanCollector) Shutdown(context.Context) error                  { return nil }
func (c *spanCollector) ForceFlush(context.Context) error                { return nil }

func (c *spanCollector) OnEnd(s sdktrace.ReadOnlySpan) {
	attributes := map[string]string{}
	for _, a := range s.Attributes() {
		attributes[string(a.Key)] = a.Value.String()
	}
	c.keep(endedSpan{
		trace: s.SpanContext().TraceID(), id: s.SpanContext().SpanID(), parent: s.Parent().SpanID(),
		name: s.Name(), kind: s.SpanKind(), start: s.StartTime(), end: s.EndTime(), attributes: attributes,
	})
}

// An endedSpan is one step of one call.
type endedSpan struct {
	trace      trace.TraceID
	id, parent trace.SpanID
	name       string
	kind       trace.SpanKind
	start, end time.Time
	attributes map[string]string
}
