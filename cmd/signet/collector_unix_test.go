//go:build unix

package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
)

// Row P04, of a process: its log goes to a collector that takes it and never answers. Spans are printed, so that they
// can be held against the answers.
func TestFault_P04_AProcessServesAndEndsWhileItsCollectorHangs(t *testing.T) {
	asked, hangs := make(chan struct{}, 1), make(chan struct{})
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-hangs
	}))
	t.Cleanup(func() { close(hangs); collector.Close() })
	p := attended(t, "", routes(quick(t), "log: { level: debug }")+"  down: { upstream: \"http://127.0.0.1:1/\", upstream_auth: none }\n")
	p.Env = append(p.Env, "OTEL_TRACES_EXPORTER=console", "OTEL_LOGS_EXPORTER=otlp", "OTEL_BLRP_SCHEDULE_DELAY=5",
		"OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
	p.serve(t)
	known := p.caller(t)
	p.besides(t, known)
	<-asked
	for range 50 {
		if got := known.call("quick", theMessage); got != "200 "+aResult {
			t.Error(got)
		}
		if got := known.call("down", theMessage); !strings.Contains(got, `"reason":"refused"`) && !strings.Contains(got, `"reason":"circuit_open"`) {
			t.Error(got)
		}
	}
	p.besides(t, known)
	p.signal(t, syscall.SIGTERM)
	if code := <-p.ended; code != exitOK {
		t.Errorf("exit code %d: %s", code, p.log)
	}
}
