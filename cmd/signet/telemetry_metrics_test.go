package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"signet/config"
)

func TestEnvironmentWinsOverTheConfigForMetrics(t *testing.T) {
	for _, c := range []struct {
		env     []string
		metrics string
		want    string
	}{
		{nil, "prometheus", "prometheus"},
		{nil, "prometheus otlp", "prometheus otlp"},
		{nil, "none", ""},
		{nil, "", ""},
		{[]string{"OTEL_METRICS_EXPORTER=none"}, "prometheus otlp", ""},
		{[]string{"OTEL_METRICS_EXPORTER=otlp"}, "prometheus", "otlp"},
		{[]string{"OTEL_METRICS_EXPORTER=prometheus, console"}, "none", "prometheus console"},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"}, "prometheus", "prometheus"},
		{[]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://127.0.0.1:1"}, "prometheus", "prometheus otlp"},
		{[]string{"OTEL_SDK_DISABLED=true"}, "prometheus otlp", "prometheus"},
	} {
		before := strings.Fields(c.metrics)
		given := slices.Clone(before)
		if got := metricDestinations(c.env, config.Telemetry{Metrics: given}); strings.Join(got, " ") != c.want || !slices.Equal(given, before) {
			t.Errorf("%v with metrics: %s: they go to %q, want %s", c.env, c.metrics, got, c.want)
		}
	}
}

// page is the answer of /-/metrics.
func page(tel *telemetry) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	tel.metrics.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/-/metrics", nil))
	return w
}

// applied prepares a block of the config and commits it.
func applied(t *testing.T, tel *telemetry, c config.Telemetry) {
	t.Helper()
	commit, err := tel.prepare(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	commit()
}

func TestMetricsFollowTheConfig(t *testing.T) {
	to := newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", to.URL)
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")
	tel := newTestTelemetry(t, nil)
	counter, err := tel.meterProvider().Meter("x").Int64Counter("signet.things")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(t.Context(), 3)
	applied(t, tel, config.Telemetry{Traces: "none", Metrics: []string{"prometheus"}})
	if w := page(tel); w.Code != 200 || !strings.Contains(w.Body.String(), "signet_things_total 3") || len(tel.status()) != 0 {
		t.Errorf("prometheus alone: %d %s %v", w.Code, w.Body, tel.status())
	}
	applied(t, tel, config.Telemetry{Traces: "none", Metrics: []string{"otlp"}})
	if w := page(tel); w.Code != 404 || !strings.Contains(w.Body.String(), "telemetry.metrics") {
		t.Errorf("otlp alone: the page answers %d %s", w.Code, w.Body)
	}
	to.await(t, toMetrics, "signet.things")
	to.await(t, toMetrics, "go.memory.used") // of Go's own runtime
	if s := tel.status(); len(s) != 1 || s[0].Signal != "metrics" || s[0].To != "otlp" || s[0].LastError != "" {
		t.Errorf("status %+v", s)
	}
	applied(t, tel, config.Telemetry{Traces: "none", Metrics: []string{"none"}})
	tel.retiring.Wait()
	if w := page(tel); w.Code != 404 || len(tel.status()) != 0 {
		t.Errorf("none: %d %v", w.Code, tel.status())
	}
	if w := page(tel); tel.exports.metrics.exported.Load() == 0 {
		t.Errorf("nothing was counted as sent: %s", w.Body)
	}
	applied(t, tel, config.Telemetry{Traces: "none", Metrics: []string{"prometheus", "otlp"}})
	if w := page(tel); w.Code != 200 || !strings.Contains(w.Body.String(), "signet_things_total 3") {
		t.Errorf("both: what was counted is lost: %d %s", w.Code, w.Body)
	}
}

func TestMetricsAreSentWhenTheProgramEnds(t *testing.T) {
	to := newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", to.URL)
	tel := newTestTelemetry(t, nil)
	applied(t, tel, config.Telemetry{Traces: "none", Metrics: []string{"otlp"}})
	counter, err := tel.meterProvider().Meter("x").Int64Counter("signet.things")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(t.Context(), 3)
	if err := tel.shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !to.has(toMetrics, "signet.things") {
		t.Error("they are not")
	}
}

func TestMetricsThatCannotBeSentAnywhereAreRefused(t *testing.T) {
	for name, env := range map[string][]string{
		"an exporter nobody knows": {"OTEL_METRICS_EXPORTER=carrier-pigeon"},
		"two":                      {"OTEL_METRICS_EXPORTER=otlp,console"},
		"a protocol nobody knows":  {"OTEL_METRICS_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=smoke"},
	} {
		tel := newTestTelemetry(t, env)
		if _, err := tel.prepare(t.Context(), config.Telemetry{Traces: "none"}); err == nil || !strings.HasPrefix(err.Error(), "telemetry.metrics: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A counter that is read as a sum since the start by /-/metrics is pushed as what was added since the last time.
func TestDeltasArePushedWhereTheEnvironmentWantsThem(t *testing.T) {
	to := newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", to.URL)
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")
	const preference = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
	t.Setenv(preference, "delta")
	tel := newTestTelemetry(t, []string{preference + "=delta"})
	applied(t, tel, config.Telemetry{Traces: "none", Metrics: []string{"prometheus", "otlp"}})
	counter, err := tel.meterProvider().Meter("x").Int64Counter("signet.things")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(t.Context(), 3)
	to.await(t, toMetrics, "signet.things")
	if tel.reader == nil || !strings.Contains(page(tel).Body.String(), "signet_things_total 3") {
		t.Errorf("/-/metrics lost what was pushed: %s", page(tel).Body)
	}
}
