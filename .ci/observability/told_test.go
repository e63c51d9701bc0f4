package observability

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A told is what a Collector wrote into its files.
type told struct {
	spans   []span
	metrics map[string]metric
	logs    []record
	sources map[string][]string // the ids of those who sent, by signal
	bytes   []byte              // all of it, to the letter
}

// A span is one as OTLP has it in JSON.
type span struct {
	TraceID      string      `json:"traceId"`
	SpanID       string      `json:"spanId"`
	ParentSpanID string      `json:"parentSpanId"`
	Name         string      `json:"name"`
	Kind         int         `json:"kind"`
	Attributes   []attribute `json:"attributes"`
	Links        []link      `json:"links"`
}

// The kinds of spans, by their numbers in OTLP.
const (
	server = 2
	client = 3
)

type link struct {
	TraceID string `json:"traceId"`
	SpanID  string `json:"spanId"`
}

type attribute struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// A metric is one instrument's last numbers.
type metric struct {
	Name      string          `json:"name"`
	Unit      string          `json:"unit"`
	Gauge     json.RawMessage `json:"gauge"`
	Histogram json.RawMessage `json:"histogram"`
	Sum       *struct {
		Monotonic bool `json:"isMonotonic"`
	} `json:"sum"`
}

// A resource is who sent something.
type resource struct {
	Attributes []attribute `json:"attributes"`
}

// A record is a line of a log.
type record struct {
	TraceID    string      `json:"traceId"`
	Body       any         `json:"body"`
	Attributes []attribute `json:"attributes"`
}

// attr is the value of an attribute that is a text, or empty.
func attr(attributes []attribute, key string) string {
	for _, a := range attributes {
		var value struct {
			Text string `json:"stringValue"`
		}
		if a.Key == key && json.Unmarshal(a.Value, &value) == nil {
			return value.Text
		}
	}
	return ""
}

// readTold reads the files of a Collector that has ended.
func readTold(t *testing.T, dir string) told {
	t.Helper()
	all := told{metrics: map[string]metric{}, sources: map[string][]string{}}
	for _, signal := range [...]string{"traces", "metrics", "logs"} {
		text, err := os.ReadFile(filepath.Join(dir, signal+".json"))
		if err != nil {
			t.Fatal(err)
		}
		all.bytes = append(all.bytes, text...)
		for line := range bytes.Lines(text) {
			all.add(t, line)
		}
	}
	return all
}

// add reads what was sent at once. A file has one such in each line.
func (o *told) add(t *testing.T, line []byte) {
	t.Helper()
	var sent struct {
		Spans []struct {
			Resource resource `json:"resource"`
			Scopes   []struct {
				Spans []span `json:"spans"`
			} `json:"scopeSpans"`
		} `json:"resourceSpans"`
		Metrics []struct {
			Resource resource `json:"resource"`
			Scopes   []struct {
				Metrics []metric `json:"metrics"`
			} `json:"scopeMetrics"`
		} `json:"resourceMetrics"`
		Logs []struct {
			Resource resource `json:"resource"`
			Scopes   []struct {
				Records []record `json:"logRecords"`
			} `json:"scopeLogs"`
		} `json:"resourceLogs"`
	}
	if err := json.Unmarshal(line, &sent); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	for _, one := range sent.Spans {
		o.from("traces", one.Resource)
		for _, scope := range one.Scopes {
			o.spans = append(o.spans, scope.Spans...)
		}
	}
	for _, one := range sent.Metrics {
		o.from("metrics", one.Resource)
		for _, scope := range one.Scopes {
			for _, m := range scope.Metrics {
				o.metrics[m.Name] = m
			}
		}
	}
	for _, one := range sent.Logs {
		o.from("logs", one.Resource)
		for _, scope := range one.Scopes {
			o.logs = append(o.logs, scope.Records...)
		}
	}
}

// from notes who sent a signal.
func (o *told) from(signal string, r resource) {
	id := attr(r.Attributes, "service.name") + " " + attr(r.Attributes, "service.instance.id")
	if !slices.Contains(o.sources[signal], id) {
		o.sources[signal] = append(o.sources[signal], id)
	}
}

// of is the span of a kind whose call was of a tool. There is one, or the test has failed.
func (o *told) of(t *testing.T, kind int, tool string) span {
	t.Helper()
	var found []span
	for _, s := range o.spans {
		if s.Kind == kind && attr(s.Attributes, "gen_ai.tool.name") == tool {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans of kind %d of tool %s, want 1, among %d", len(found), kind, tool, len(o.spans))
	}
	return found[0]
}

// names are those of the metrics.
func (o *told) names() []string { return slices.Sorted(maps.Keys(o.metrics)) }
