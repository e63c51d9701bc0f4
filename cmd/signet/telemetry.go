package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"signet/config"
)

const (
	// flushTime bounds what the exit waits for a collector.
	flushTime = 3 * time.Second

	// exportTime bounds one export: a collector that hangs must not hold a batch for long.
	exportTime = 5 * time.Second
)

// telemetry is the only part that knows the OpenTelemetry SDK. The standard OTEL_* variables win over
// the config; when neither asks for anything, nothing is recorded and nothing leaves.
type telemetry struct {
	// fixed at build
	environ  environ
	resource *resource.Resource
	meters   *sdkmetric.MeterProvider
	metrics  http.Handler // in Prometheus' format
	tracers  *tracers

	// guarded
	mu       sync.Mutex
	config   config.Telemetry         // under mu
	provider *sdktrace.TracerProvider // under mu; nil when spans are off
	retiring sync.WaitGroup
}

// newTelemetry makes one that counts, and makes no spans until a config is prepared and committed.
func newTelemetry(ctx context.Context, env []string, log *slog.Logger) (*telemetry, error) {
	res, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "signet"), attribute.String("service.version", version())),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("telemetry: resource: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, fmt.Errorf("telemetry: prometheus: %w", err)
	}
	readers := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(exporter)}
	more, err := metricReader(ctx, env)
	if err != nil {
		return nil, fmt.Errorf("telemetry: OTEL_METRICS_EXPORTER: %w", err)
	}
	if more != nil {
		readers = append(readers, sdkmetric.WithReader(more))
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("telemetry", "err", err.Error()) }))
	return &telemetry{
		environ:  env,
		resource: res,
		meters:   sdkmetric.NewMeterProvider(readers...),
		metrics:  promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		tracers:  newTracers(),
	}, nil
}

// count makes a counter that others keep.
func (t *telemetry) count(name, description string, kept func() int64) error {
	_, err := t.meters.Meter("signet").Int64ObservableCounter(name, metric.WithDescription(description),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(kept())
			return nil
		}))
	return err
}

// meterProvider is where the gateway's instruments come from.
func (t *telemetry) meterProvider() metric.MeterProvider { return t.meters }

// propagator is what OTEL_PROPAGATORS names, or nil: then W3C Trace Context alone, since baggage would
// carry a client's words into another trust domain.
func (t *telemetry) propagator() propagation.TextMapPropagator {
	if t.environ.get("OTEL_PROPAGATORS") == "" {
		return nil
	}
	return autoprop.NewTextMapPropagator()
}

// prepare makes the exporter that c and the environment ask for, without a connection. Commit sends new
// spans there and lets the replaced exporter flush.
func (t *telemetry) prepare(ctx context.Context, c config.Telemetry) (commit func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.provider != nil && t.config == c {
		return func() {}, nil
	}
	exporter, err := spanExporter(ctx, t.environ, c)
	if err != nil {
		return nil, fmt.Errorf("telemetry.traces: %w", err)
	}
	if exporter == nil {
		return func() { t.use(nil, c) }, nil
	}
	next := t.newProvider(c, t.batch(exporter))
	return func() { t.use(next, c) }, nil
}

// use puts next, which may be nil, in the place of the current provider.
func (t *telemetry) use(next *sdktrace.TracerProvider, c config.Telemetry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.provider
	t.provider, t.config = next, c
	if next == nil {
		t.tracers.use(noop.NewTracerProvider())
	} else {
		t.tracers.use(next)
	}
	if old == nil {
		return
	}
	t.retiring.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushTime)
		defer cancel()
		_ = old.Shutdown(ctx) // what could not be sent is the error handler's to tell
	})
}

// shutdown flushes what is held, for at most flushTime and until kill ends.
func (t *telemetry) shutdown(kill context.Context) error {
	ctx, cancel := context.WithTimeout(kill, flushTime)
	defer cancel()
	t.mu.Lock()
	provider := t.provider
	t.mu.Unlock()
	var err error
	if provider != nil {
		err = provider.Shutdown(ctx)
	}
	err = errors.Join(err, t.meters.Shutdown(ctx))
	t.retiring.Wait()
	return err
}

func (t *telemetry) newProvider(c config.Telemetry, p sdktrace.SpanProcessor) *sdktrace.TracerProvider {
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(t.resource), sdktrace.WithSpanProcessor(p)}
	if t.environ.get("OTEL_TRACES_SAMPLER") == "" {
		options = append(options, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(c.Sample))))
	}
	return sdktrace.NewTracerProvider(options...)
}

// batch exports beside the calls. Its queue drops what is over 2048 spans.
func (t *telemetry) batch(e sdktrace.SpanExporter) sdktrace.SpanProcessor {
	if t.environ.get("OTEL_BSP_EXPORT_TIMEOUT") != "" {
		return sdktrace.NewBatchSpanProcessor(e)
	}
	return sdktrace.NewBatchSpanProcessor(e, sdktrace.WithExportTimeout(exportTime))
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

// metricReader is the one OTEL_METRICS_EXPORTER names, or nil. Prometheus is served by the gateway itself.
func metricReader(ctx context.Context, env environ) (sdkmetric.Reader, error) {
	switch env.get("OTEL_METRICS_EXPORTER") {
	case "", "none", "prometheus":
		return nil, nil
	}
	if env.get("OTEL_SDK_DISABLED") == "true" {
		return nil, nil
	}
	return autoexport.NewMetricReader(ctx)
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
