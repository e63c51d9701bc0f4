package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"signet/gateway"
)

// What a test's call carries, and what its gateway is given, that nobody is to be told.
const (
	argumentCanary = "ArGuMeNt7f3a"
	resultCanary   = "ReSuLt7f3a"
	secretCanary   = "SeCrEt7f3a"
)

// An exporting is a daemon that sends all its telemetry to a collector.
type exporting struct {
	*daemon
	to   *collector
	log  *logText
	text string // of its file, but for the telemetry block
}

// newExporting starts one, signing with keys of the environment and in front of an upstream that answers every call.
func newExporting(t *testing.T, more string) *exporting {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), argumentCanary) || !strings.Contains(r.Header.Get("Authorization"), "Signature=") {
			http.Error(w, "the argument or the signature is missing", http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`+resultCanary+`"}]}}`)
	}))
	t.Cleanup(upstream.Close)
	e := &exporting{to: newCollector(t)}
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": e.to.URL, "OTEL_EXPORTER_OTLP_HEADERS": "x-token=" + secretCanary,
		"OTEL_LOGS_EXPORTER": "otlp", "OTEL_METRIC_EXPORT_INTERVAL": "100", "OTEL_BSP_SCHEDULE_DELAY": "50",
		"AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE12", "AWS_SECRET_ACCESS_KEY": secretCanary, "AWS_SESSION_TOKEN": secretCanary,
		"AWS_CONFIG_FILE": t.TempDir(), "AWS_SHARED_CREDENTIALS_FILE": t.TempDir() + "/none",
	} {
		t.Setenv(name, value)
	}
	e.text = fmt.Sprintf(`
listen: ["127.0.0.1:0"]
auth: { mode: none }
log: { calls: { level: info } }
routes:
  one: { upstream: %q, service: svc, region: eu-west-1, headers: { X-Secret: %s } }
`, upstream.URL+"/mcp", secretCanary)
	e.daemon, e.log = startDaemonWith(t, e.block(more), []string{"OTEL_LOGS_EXPORTER=otlp"})
	return e
}

// block is the text of the file with more in its telemetry block.
func (e *exporting) block(more string) string {
	return "telemetry: { traces: otlp, metrics: [prometheus, otlp]" + more + " }\n" + e.text
}

// call sends a tools/call and wants its result.
func (e *exporting) call(t *testing.T) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, e.listeners.urls()[0]+"/one", strings.NewReader(
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read","arguments":{"what":"`+argumentCanary+`"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Mcp-Param-What", argumentCanary)
	r.Header.Set("Baggage", "what="+argumentCanary)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if body, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(body), resultCanary) {
		t.Fatalf("%v %s", err, body)
	}
}

// told is all that anybody is told: what was exported, the log, the metrics and the status.
func (e *exporting) told(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"what was exported": e.to.all(), "the log": e.log.String()}
	for _, path := range []string{"/-/metrics", "/-/status"} {
		answer, err := http.Get(e.listeners.urls()[0] + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != 200 {
			t.Fatalf("%s: %d %v", path, answer.StatusCode, err)
		}
		all[path] = string(body)
	}
	return all
}

func TestNobodyIsToldASecretOrAnArgument(t *testing.T) {
	e := newExporting(t, "")
	e.call(t)
	e.to.await(t, toTraces, "tools/call read")
	e.to.await(t, toTraces, "signet.credentials.key_id")
	e.to.await(t, toMetrics, "mcp.server.operation.duration")
	e.to.await(t, toLogs, "gen_ai.tool.name")
	for where, text := range e.told(t) {
		for _, canary := range []string{argumentCanary, resultCanary, secretCanary, "AKIAEXAMPLEEXAMPLE12"} {
			if i := strings.Index(text, canary); i >= 0 {
				t.Errorf("%s stands in %s: %q", canary, where, text[max(0, i-100):min(len(text), i+50)])
			}
		}
	}
	for _, words := range []string{`"msg":"call"`, `"gen_ai.tool.name":"read"`, `"signet.credentials.source":"environment or default profile"`, `"trace_id":"`} {
		if !strings.Contains(e.log.String(), words) {
			t.Errorf("no %s in the log: %s", words, e.log)
		}
	}
}

// The control, and what telemetry.capture_arguments promises: arguments are found where they belong, on spans, and
// from a reload on.
func TestCapturedArgumentsAreOnSpansAlone(t *testing.T) {
	e := newExporting(t, "")
	e.call(t)
	write(t, e.path, e.block(", capture_arguments: true"))
	if _, err := e.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.call(t)
	e.to.await(t, toTraces, argumentCanary)
	e.to.await(t, toTraces, "gen_ai.tool.call.arguments")
	all := e.told(t)
	if strings.Contains(all["what was exported"], resultCanary) || strings.Contains(all["what was exported"], secretCanary) {
		t.Error("results or secrets are exported as well")
	}
	for _, where := range []string{"the log", "/-/metrics", "/-/status"} {
		if strings.Contains(all[where], argumentCanary) {
			t.Errorf("it stands in %s as well", where)
		}
	}
	if e.to.has(toLogs, argumentCanary) || e.to.has(toMetrics, argumentCanary) {
		t.Error("it is exported elsewhere as well")
	}
}

// Row P04: calls are answered whatever the collector does, and the status says what is lost.
func TestFault_P04_CallsAreAnsweredWhileTheCollectorHangs(t *testing.T) {
	e := newExporting(t, "")
	hangs := make(chan struct{})
	defer close(hangs)
	e.to.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hangs })
	for range 50 {
		e.call(t)
	}
	var traces gateway.ExportStatus
	for _, s := range e.gateway.Status().Exports {
		if s.Signal == "traces" {
			traces = s
		}
	}
	if traces.To != "otlp" || traces.Queue != 2048 || traces.Queued+int(traces.Exported)+int(traces.Failed) == 0 {
		t.Errorf("status %+v", traces)
	}
	if page := e.told(t)["/-/metrics"]; !strings.Contains(page, `signet_telemetry_queue_length{signet_signal="traces"}`) ||
		!strings.Contains(page, `signet_telemetry_dropped_total{signet_reason="queue_full",signet_signal="traces"} 0`) {
		t.Errorf("the metrics do not show it: %s", page)
	}
}
