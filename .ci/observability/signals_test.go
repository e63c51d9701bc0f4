// Package observability is what a team sees of signet in its own backend, held against real ones: a Collector, and
// Prometheus. bash .ci/observability/run gets them and runs these tests.
package observability

import (
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/otlptranslator"
)

// protocols are the ways to a Collector.
func protocols() []string { return []string{"grpc", "http/protobuf"} }

func TestACollectorGetsTracesMetricsAndLogs(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			s := newStage(t, setting{protocol: protocol})
			s.traffic()
			scrape := s.scrape()
			all := s.end()
			traces := map[string]bool{}
			for _, span := range all.spans {
				traces[span.TraceID] = true
			}
			if len(all.spans) < 20 {
				t.Errorf("%d spans", len(all.spans))
			}
			calls := 0
			for _, r := range all.logs {
				if body, _ := r.Body.(map[string]any); body["stringValue"] == "call" {
					calls++
					if !traces[r.TraceID] {
						t.Errorf("the line of a call is of trace %q, which has no span: %+v", r.TraceID, r)
					}
				}
			}
			if calls < 10 {
				t.Errorf("%d lines of calls among %d", calls, len(all.logs))
			}
			sameMetrics(t, scrape, all)
			oneSource(t, all.sources)
			if text := string(s.gateway.output(t)); strings.Contains(text, "telemetry is not taken") {
				t.Errorf("the gateway was not content:\n%s", text)
			}
		})
	}
}

// sameMetrics compares what /-/metrics has with what the Collector got: a dashboard is to work with either. What is
// under go and process is of the runtime, for which the two have names of their own.
func sameMetrics(t *testing.T, scrape string, all told) {
	t.Helper()
	pushed := map[string]bool{}
	for name, m := range all.metrics {
		if strings.HasPrefix(name, "go.") {
			continue
		}
		translated := prometheusName(t, m)
		pushed[translated] = true
		if !strings.Contains(scrape, "# TYPE "+translated+" ") {
			t.Errorf("%s, %s in Prometheus, is not on /-/metrics", name, translated)
		}
	}
	if len(pushed) < 20 || all.metrics["go.memory.used"].Name == "" {
		t.Errorf("the Collector has only %v", all.names())
	}
	for line := range strings.Lines(scrape) {
		words := strings.Fields(line)
		if len(words) != 4 || words[1] != "TYPE" || words[2] == "target_info" {
			continue
		}
		if name := words[2]; !pushed[name] && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s is on /-/metrics, and the Collector has it not", name)
		}
	}
}

// oneSource wants each signal to be of one and the same gateway, which no other can be taken for.
func oneSource(t *testing.T, sources map[string][]string) {
	t.Helper()
	for _, signal := range [...]string{"traces", "metrics", "logs"} {
		got := sources[signal]
		if len(got) != 1 || got[0] != sources["traces"][0] || !regexp.MustCompile(`^signet [0-9a-f-]{36}$`).MatchString(got[0]) {
			t.Errorf("%s are of %q", signal, got)
		}
	}
}

// prometheusName is what Prometheus calls a metric that it gets by OTLP.
func prometheusName(t *testing.T, m metric) string {
	t.Helper()
	kind := otlptranslator.MetricType(otlptranslator.MetricTypeGauge)
	switch {
	case m.Histogram != nil:
		kind = otlptranslator.MetricTypeHistogram
	case m.Sum != nil && m.Sum.Monotonic:
		kind = otlptranslator.MetricTypeMonotonicCounter
	case m.Sum != nil:
		kind = otlptranslator.MetricTypeNonMonotonicCounter
	}
	namer := otlptranslator.MetricNamer{WithMetricSuffixes: true}
	name, err := namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: kind})
	if err != nil {
		t.Fatal(err)
	}
	return name
}
