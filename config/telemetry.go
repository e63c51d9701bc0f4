package config

import (
	"net/url"
	"slices"
	"strings"
)

// Log says what is logged, and how.
type Log struct {
	// Level is debug, info (default), warn or error.
	Level string `koanf:"level" jsonschema:"enum=debug,enum=info,enum=warn,enum=error"`

	// Format is auto (default: colour on a terminal, JSON elsewhere), text or json.
	Format string `koanf:"format" jsonschema:"enum=auto,enum=text,enum=json"`

	// Calls says which calls have a line.
	Calls CallLog `koanf:"calls"`
}

// A CallLog says which calls have a line. One that failed in the gateway or in the upstream's infrastructure has one
// at any rate, as a warning.
type CallLog struct {
	// Level is that of the lines: debug (default), info, warn or error. They are written while log.level takes it.
	Level string `koanf:"level" jsonschema:"enum=debug,enum=info,enum=warn,enum=error"`

	// Sample is the share of calls that have one: 0 to 1. Default: 1.
	Sample float64 `koanf:"sample" jsonschema:"minimum=0,maximum=1"`
}

// Telemetry says where spans and numbers go.
type Telemetry struct {
	// Traces is otlp, console or none. Default: none, unless an OTEL_* variable says otherwise.
	Traces string `koanf:"traces" jsonschema:"enum=otlp,enum=console,enum=none"`

	// Metrics are prometheus (served at /-/metrics), otlp, both, or none alone. Default: prometheus.
	Metrics []string `koanf:"metrics" jsonschema:"enum=prometheus,enum=otlp,enum=none"`

	// Sample is the share of traces recorded when the caller did not decide: 0 to 1. Default: 1.
	Sample float64 `koanf:"sample" jsonschema:"minimum=0,maximum=1"`

	// CaptureArguments puts the arguments of tools on spans, of each the first 4 KiB. They may hold what
	// nobody else should read. Default: false.
	CaptureArguments bool `koanf:"capture_arguments"`

	// TraceURL is where a trace is seen, with {trace_id} where its id belongs: https://jaeger/trace/{trace_id}.
	// The status tells it. Empty: nowhere.
	TraceURL string `koanf:"trace_url"`
}

// TracePlace stands for a trace's id in telemetry.trace_url.
const TracePlace = "{trace_id}"

func (l *loading) telemetry(t Telemetry) {
	for i, name := range t.Metrics {
		switch {
		case slices.Contains(t.Metrics[:i], name):
			l.problem("telemetry/metrics", name+" stands twice", "")
		case name == "none" && len(t.Metrics) > 1:
			l.problem("telemetry/metrics", "none goes with no other", "leave it out")
		}
	}
	if t.TraceURL == "" {
		return
	}
	u, err := url.Parse(strings.ReplaceAll(t.TraceURL, TracePlace, "0"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		l.problem("telemetry/trace_url", "is no URL of a web page", "write https://HOST/trace/"+TracePlace)
	} else if !strings.Contains(t.TraceURL, TracePlace) {
		l.problem("telemetry/trace_url", "does not say where the id of the trace belongs", "put "+TracePlace+" there")
	}
}
