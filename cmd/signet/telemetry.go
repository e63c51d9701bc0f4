package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"signet/config"
	"signet/gateway"
)

const (
	// flushTime bounds what the exit waits for a collector.
	flushTime = 3 * time.Second

	// exportTime bounds one export: a collector that hangs must not hold a batch for long.
	exportTime = 5 * time.Second
)

// telemetry and the other telemetry files are the only part that knows the OpenTelemetry SDK. The standard OTEL_*
// variables win over the config; when neither asks for anything, nothing is recorded and nothing leaves.
type telemetry struct {
	// fixed at build
	environ  environ
	resource *resource.Resource
	meters   *sdkmetric.MeterProvider
	reader   sdkmetric.Reader // of meters, for who pushes
	metrics  *metricsPage
	tracers  *tracers
	logs     *sdklog.LoggerProvider // nil: log records go nowhere
	exports  struct{ traces, metrics, logs *export }

	// guarded
	mu       sync.Mutex
	config   config.Telemetry         // under mu
	provider *sdktrace.TracerProvider // under mu; nil when spans are off
	pusher   *sdkmetric.MeterProvider // under mu; nil when metrics are not pushed
	retiring sync.WaitGroup
}

// newTelemetry makes one that counts and, if the environment asks for it, sends log records. It makes no spans and
// pushes no metrics until a config is prepared and committed.
func newTelemetry(ctx context.Context, env []string, log *slog.Logger) (*telemetry, error) {
	// An id of this run, and the machine's name: what is pushed by two gateways must not be taken for one's.
	res, err := resource.New(ctx, resource.WithService(), resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", "signet"), attribute.String("service.version", version())),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("telemetry: resource: %w", err)
	}
	t := &telemetry{environ: env, resource: res, tracers: newTracers()}
	t.exports.traces, t.exports.metrics, t.exports.logs = newExport("traces"), newExport("metrics"), newExport("logs")
	if err := t.measure(ctx); err != nil {
		return nil, fmt.Errorf("telemetry.metrics: %w", err)
	}
	if t.logs, err = t.newLogs(ctx); err != nil {
		return nil, fmt.Errorf("telemetry: OTEL_LOGS_EXPORTER: %w", err)
	}
	trouble := &trouble{log: log}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(trouble.tell))
	return t, nil
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

// status is how what is sent fares.
func (t *telemetry) status() []gateway.ExportStatus {
	var all []gateway.ExportStatus
	for _, e := range []*export{t.exports.traces, t.exports.metrics, t.exports.logs} {
		if s := e.status(); s.To != "" {
			all = append(all, s)
		}
	}
	return all
}

// prepare makes the exporters that c and the environment ask for, without a connection. Commit sends new
// spans and the numbers there and lets the replaced exporters flush.
func (t *telemetry) prepare(ctx context.Context, c config.Telemetry) (commit func(), err error) {
	t.mu.Lock()
	before, tracing, pushing := t.config, t.provider != nil, t.pusher != nil
	t.mu.Unlock()
	var commits []func()
	if !tracing || before.Traces != c.Traces || before.Sample != c.Sample {
		commit, err := t.prepareTraces(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("telemetry.traces: %w", err)
		}
		commits = append(commits, commit)
	}
	if !pushing || !reflect.DeepEqual(before.Metrics, c.Metrics) {
		commit, err := t.prepareMetrics(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("telemetry.metrics: %w", err)
		}
		commits = append(commits, commit)
	}
	return func() {
		for _, commit := range commits {
			commit()
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.config = c
	}, nil
}

// retire lets what was replaced flush, beside everything else. What could not be sent is the error handler's to tell.
func (t *telemetry) retire(shutdown func(context.Context) error) {
	t.retiring.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushTime)
		defer cancel()
		_ = shutdown(ctx)
	})
}

// shutdown flushes what is held, for at most flushTime and until kill ends.
func (t *telemetry) shutdown(kill context.Context) error {
	ctx, cancel := context.WithTimeout(kill, flushTime)
	defer cancel()
	t.mu.Lock()
	provider, pusher := t.provider, t.pusher
	t.mu.Unlock()
	var parts []func(context.Context) error
	if provider != nil {
		parts = append(parts, provider.Shutdown)
	}
	if pusher != nil {
		parts = append(parts, pusher.Shutdown)
	}
	if t.logs != nil {
		parts = append(parts, t.logs.Shutdown)
	}
	ended := make(chan error, len(parts))
	for _, part := range parts {
		go func() { ended <- part(ctx) }()
	}
	var err error
	for range parts {
		err = errors.Join(err, <-ended)
	}
	err = errors.Join(err, t.meters.Shutdown(ctx)) // after the pusher, which reads it a last time
	t.retiring.Wait()
	return err
}
