package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"signet/config"
)

func newTestTelemetry(t *testing.T, env []string) *telemetry {
	t.Helper()
	tel, err := newTelemetry(t.Context(), env, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.shutdown(context.Background()) })
	return tel
}

func TestEnvironmentWinsOverTheConfigForSpans(t *testing.T) {
	for _, c := range []struct {
		env    []string
		traces string
		want   string
	}{
		{nil, "none", "none"},
		{nil, "otlp", "otlp"},
		{nil, "console", "console"},
		{[]string{"OTEL_TRACES_EXPORTER=none"}, "otlp", "none"},
		{[]string{"OTEL_TRACES_EXPORTER=console"}, "none", "console"},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"}, "none", "otlp"},
		{[]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:1"}, "none", "otlp"},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_TRACES_EXPORTER=none"}, "otlp", "none"},
		{[]string{"OTEL_SDK_DISABLED=true", "OTEL_TRACES_EXPORTER=otlp"}, "otlp", "none"},
	} {
		if got := spanDestination(c.env, config.Telemetry{Traces: c.traces}); got != c.want {
			t.Errorf("%v with traces: %s: spans go to %s, want %s", c.env, c.traces, got, c.want)
		}
	}
}

func TestSpansReachACollectorBeforeTheExit(t *testing.T) {
	bodies := make(chan string, 8)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- string(body)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	tel := newTestTelemetry(t, nil)
	commit, err := tel.prepare(t.Context(), config.Telemetry{Traces: "otlp", Sample: 1})
	if err != nil {
		t.Fatal(err)
	}
	commit()
	_, span := tel.tracers.Tracer("x").Start(context.Background(), "a-call")
	span.End()
	if err := tel.shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if body := <-bodies; !strings.Contains(body, "a-call") || !strings.Contains(body, "signet") {
		t.Errorf("%q: the span or the service's name is not in it", body)
	}
}

func TestSampleIsTheShareOfRootSpansAlone(t *testing.T) {
	tel := newTestTelemetry(t, nil)
	tel.use(tel.newProvider(config.Telemetry{Sample: 0}, &spanCollector{keep: func(endedSpan) {}}), config.Telemetry{})
	tracer := tel.tracers.Tracer("x")
	if _, span := tracer.Start(t.Context(), "root"); span.IsRecording() {
		t.Error("a root span is recorded with sample 0")
	}
	parent := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled, Remote: true,
	})
	if _, span := tracer.Start(trace.ContextWithSpanContext(t.Context(), parent), "child"); !span.IsRecording() {
		t.Error("the caller decided to record, and its child is not recorded")
	}
}

func TestSameTelemetryKeepsItsExporter(t *testing.T) {
	tel := newTestTelemetry(t, nil)
	c := config.Telemetry{Traces: "otlp", Sample: 1}
	for range 2 {
		commit, err := tel.prepare(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		before := tel.provider
		commit()
		if before != nil && tel.provider != before {
			t.Error("a reload that changed nothing replaced the exporter")
		}
	}
}

func TestUnknownExporterIsRefused(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "carrier-pigeon")
	tel := newTestTelemetry(t, []string{"OTEL_TRACES_EXPORTER=carrier-pigeon"})
	if _, err := tel.prepare(t.Context(), config.Telemetry{}); err == nil {
		t.Error("an exporter nobody knows is accepted")
	}
}

func TestPropagatorIsW3CUnlessTheEnvironmentNamesOne(t *testing.T) {
	if p := newTestTelemetry(t, nil).propagator(); p != nil {
		t.Errorf("propagator %v, want the gateway's own default", p.Fields())
	}
	t.Setenv("OTEL_PROPAGATORS", "b3")
	if p := newTestTelemetry(t, []string{"OTEL_PROPAGATORS=b3"}).propagator(); p == nil || p.Fields()[0] != "b3" {
		t.Errorf("propagator %v, want b3", p)
	}
}

func TestMetricsAreServedInPrometheusFormat(t *testing.T) {
	tel := newTestTelemetry(t, nil)
	counter, err := tel.meterProvider().Meter("x").Int64Counter("signet.things")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(t.Context(), 3)
	w := httptest.NewRecorder()
	tel.metrics.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/-/metrics", nil))
	for _, want := range []string{"signet_things_total 3", "go_goroutines", `service_name="signet"`, "service_instance_id=", "host_name="} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}
