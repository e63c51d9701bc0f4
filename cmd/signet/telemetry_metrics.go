package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"signet/config"
)

// maxMetricSeries is how many series an instrument has at most, of routes by the thousand. What is over it is one
// series more.
const maxMetricSeries = 20_000

// A metricsPage serves numbers in Prometheus' format while it is on.
type metricsPage struct {
	page http.Handler
	on   atomic.Bool
}

// ServeHTTP answers with the numbers, or 404.
func (p *metricsPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !p.on.Load() {
		http.Error(w, "no metrics are served here: telemetry.metrics, or OTEL_METRICS_EXPORTER, has no prometheus", http.StatusNotFound)
		return
	}
	p.page.ServeHTTP(w, r)
}

// measure makes the one MeterProvider. What is pushed is read from it as /-/metrics is, so that a config may begin
// and end the pushing, and nothing is counted twice.
func (t *telemetry) measure(ctx context.Context) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return err
	}
	options := []sdkmetric.Option{
		sdkmetric.WithResource(t.resource), sdkmetric.WithReader(exporter), sdkmetric.WithCardinalityLimit(maxMetricSeries),
	}
	t.reader = exporter
	if own, err := t.ownReader(ctx); err != nil {
		return err
	} else if own != nil {
		t.reader = own
		options = append(options, sdkmetric.WithReader(own))
	}
	t.meters = sdkmetric.NewMeterProvider(options...)
	t.metrics = &metricsPage{page: promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}
	t.metrics.on.Store(true)
	return nil
}

// ownReader is a second reader for what is pushed, where the environment wants other numbers than Prometheus can
// have: deltas, or exponential histograms. Nil: it does not.
func (t *telemetry) ownReader(ctx context.Context) (sdkmetric.Reader, error) {
	temporality := strings.ToLower(t.environ.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"))
	histograms := strings.ToLower(t.environ.get("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"))
	if (temporality == "" || temporality == "cumulative") && (histograms == "" || histograms == "explicit_bucket_histogram") {
		return nil, nil
	}
	model, err := metricExporter(ctx, t.environ, "otlp")
	if err != nil {
		return nil, err
	}
	defer func() { _ = model.Shutdown(ctx) }() // it never had a connection
	return sdkmetric.NewManualReader(
		sdkmetric.WithTemporalitySelector(model.Temporality), sdkmetric.WithAggregationSelector(model.Aggregation)), nil
}

// prepareMetrics makes what numbers are pushed by.
func (t *telemetry) prepareMetrics(ctx context.Context, c config.Telemetry) (commit func(), err error) {
	var next *sdkmetric.MeterProvider
	names := metricDestinations(t.environ, c)
	page, to := slices.Contains(names, "prometheus"), ""
	for _, name := range names {
		if name == "prometheus" {
			continue
		}
		if to != "" {
			return nil, fmt.Errorf("metrics are pushed to one place, not to %s and %s", to, name)
		}
		if next, err = t.newPusher(ctx, name); err != nil {
			return nil, err
		}
		to = name
	}
	return func() {
		t.metrics.on.Store(page)
		t.exports.metrics.goTo(to, nil, 0)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.pusher != nil {
			t.retire(t.pusher.Shutdown)
		}
		t.pusher = next
	}, nil
}

// newPusher reads and pushes at an interval, together with the numbers of Go's runtime, which /-/metrics has under
// Prometheus' names.
func (t *telemetry) newPusher(ctx context.Context, name string) (*sdkmetric.MeterProvider, error) {
	exporter, err := metricExporter(ctx, t.environ, name)
	if err != nil {
		return nil, err
	}
	options := []sdkmetric.PeriodicReaderOption{sdkmetric.WithProducer(producer{t.reader})}
	if t.environ.get("OTEL_METRIC_EXPORT_TIMEOUT") == "" {
		options = append(options, sdkmetric.WithTimeout(exportTime))
	}
	pusher := sdkmetric.NewMeterProvider(sdkmetric.WithResource(t.resource),
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(countedMetrics{exporter, t.exports.metrics}, options...)))
	return pusher, runtime.Start(runtime.WithMeterProvider(pusher))
}

// A producer gives what a reader reads.
type producer struct{ sdkmetric.Reader }

// Produce reads.
func (p producer) Produce(ctx context.Context) ([]metricdata.ScopeMetrics, error) {
	var read metricdata.ResourceMetrics
	err := p.Collect(ctx, &read)
	return read.ScopeMetrics, err
}

// countedMetrics count how many times numbers were sent.
type countedMetrics struct {
	sdkmetric.Exporter
	of *export
}

// Export sends numbers.
func (c countedMetrics) Export(ctx context.Context, m *metricdata.ResourceMetrics) error {
	err := c.Exporter.Export(ctx, m)
	c.of.ended(1, err)
	return err
}

// metricExporter is the one of a name.
func metricExporter(ctx context.Context, env environ, name string) (sdkmetric.Exporter, error) {
	switch name {
	case "console":
		return stdoutmetric.New()
	case "otlp":
	default:
		return nil, fmt.Errorf("unknown exporter %q: there are prometheus, otlp, console and none", name)
	}
	protocol := env.get("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL")
	if protocol == "" {
		protocol = env.get("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	switch protocol {
	case "", "http/protobuf":
		return otlpmetrichttp.New(ctx)
	case "grpc":
		return otlpmetricgrpc.New(ctx)
	}
	return nil, fmt.Errorf("unknown protocol %q: there are grpc and http/protobuf", protocol)
}

// metricDestinations are what OTEL_METRICS_EXPORTER names, else what c does, and otlp if the environment says where
// that is; none is none.
func metricDestinations(env environ, c config.Telemetry) []string {
	names := slices.Clone(c.Metrics)
	if all := env.get("OTEL_METRICS_EXPORTER"); all != "" {
		names = strings.Split(strings.ReplaceAll(all, " ", ""), ",")
	} else if env.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") != "" && !slices.Contains(names, "otlp") {
		names = append(names, "otlp")
	}
	disabled := env.get("OTEL_SDK_DISABLED") == "true"
	return slices.DeleteFunc(names, func(name string) bool { return name == "none" || disabled && name != "prometheus" })
}
