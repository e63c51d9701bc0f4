package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"signet/config"
)

func TestLogRecordsGoWhereTheEnvironmentSays(t *testing.T) {
	for _, c := range []struct {
		env  []string
		want string
	}{
		{nil, "none"},
		{[]string{"OTEL_LOGS_EXPORTER=otlp"}, "otlp"},
		{[]string{"OTEL_LOGS_EXPORTER=none", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://127.0.0.1:1"}, "none"},
		{[]string{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://127.0.0.1:1"}, "otlp"},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"}, "none"},
		{[]string{"OTEL_LOGS_EXPORTER=otlp", "OTEL_SDK_DISABLED=true"}, "none"},
	} {
		if got := logDestination(c.env); got != c.want {
			t.Errorf("%v: they go to %s, want %s", c.env, got, c.want)
		}
	}
	t.Setenv("OTEL_LOGS_EXPORTER", "carrier-pigeon")
	if _, err := newTelemetry(t.Context(), []string{"OTEL_LOGS_EXPORTER=carrier-pigeon"}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("an exporter nobody knows is accepted")
	}
}

func TestLogRecordsReachACollectorAtTheLevelOfTheLog(t *testing.T) {
	to := newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", to.URL)
	t.Setenv("OTEL_LOGS_EXPORTER", "otlp")
	tel := newTestTelemetry(t, []string{"OTEL_LOGS_EXPORTER=otlp"})
	var out bytes.Buffer
	c := config.Log{Level: "info", Format: "json"}
	log, err := newLogging(&out, c)
	if err != nil {
		t.Fatal(err)
	}
	route := log.With("route", "docs") // made before
	log.add(tel.logHandler(), c)
	route.Debug("not to be told")
	route.Info("a line", "id", 7)
	to.await(t, toLogs, "a line")
	commit, err := log.prepare(config.Log{Level: "debug", Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	commit()
	route.Debug("a detail")
	to.await(t, toLogs, "a detail")
	if to.has(toLogs, "not to be told") || !to.has(toLogs, "docs") || strings.Contains(out.String(), "not to be told") {
		t.Errorf("the log: %s", out.String())
	}
	if n := strings.Count(out.String(), "a line"); n != 1 {
		t.Errorf("written %d times on the error output", n)
	}
	if s := tel.status(); len(s) != 1 || s[0].Signal != "logs" || s[0].Exported == 0 || s[0].Queue != maxQueuedRecords {
		t.Errorf("status %+v", s)
	}
}
