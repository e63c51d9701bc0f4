package observability

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What must not be in anything that leaves.
const (
	keyID        = "ASIACANARY" // the beginning of each
	secretKey    = "canarySecretAccessKey0000000000000000000"
	sessionToken = "canarySessionToken000000000000000000000"
	argument     = "canary-argument-of-a-tool" // and what tools answer
)

// A setting is how a gateway sends what it knows.
type setting struct {
	protocol string // grpc or http/protobuf
	more     string // lines of the telemetry block
}

// A stage is a gateway with an upstream behind it and a Collector beside it.
type stage struct {
	t        *testing.T
	dir      string
	url      string // of the gateway
	key      string // of its caller
	upstream *upstream

	gateway, collector *program
}

// newStage starts one.
func newStage(t *testing.T, s setting) *stage {
	st := &stage{t: t, dir: t.TempDir(), upstream: newUpstream(t)}
	endpoint := st.startCollector(s.protocol)
	address := freeAddress(t)
	st.url = "http://" + address
	st.write("aws-config", fmt.Sprintf("[profile dev]\ncredential_process = sh %[1]s/vend\n"+
		"[profile gone]\ncredential_process = sh %[1]s/nothing\n", st.dir))
	// Each set has a key of its own, so that one which AWS refuses is replaced by another.
	st.write("vend", fmt.Sprintf(`printf '{"Version":1,"AccessKeyId":"%s%%s","SecretAccessKey":"%s",'`+
		`'"SessionToken":"%s","Expiration":"2099-01-01T00:00:00Z"}' "$(date +%%N)"`, keyID, secretKey, sessionToken))
	st.write("signet.yaml", st.config(address, s.more))
	environ := []string{
		"HOME=" + st.dir, "XDG_RUNTIME_DIR=" + st.dir, "PATH=" + os.Getenv("PATH"),
		"AWS_CONFIG_FILE=" + st.path("aws-config"), "AWS_SHARED_CREDENTIALS_FILE=" + st.path("none"),
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=" + s.protocol,
		"OTEL_LOGS_EXPORTER=otlp", "OTEL_METRIC_EXPORT_INTERVAL=500",
	}
	signet := binary(t, "SIGNET")
	output(t, nil, signet, "keys", "add", "-c", st.path("signet.yaml"), "--out", st.path("key"), "tester")
	key, err := os.ReadFile(st.path("key"))
	if err != nil {
		t.Fatal(err)
	}
	st.key = strings.TrimSpace(string(key))
	st.gateway = start(t, st.dir, "signet", environ, signet, "run", "-c", st.path("signet.yaml"))
	st.gateway.listens(t, address)
	return st
}

// config has a route for each kind of trouble.
func (s *stage) config(address, more string) string {
	return fmt.Sprintf(`listen: [%q]
auth: { keys_file: %q }
log: { level: debug, format: json, calls: { level: info } }
telemetry:
  traces: otlp
  metrics: [prometheus, otlp]
%s
defaults: { service: execute-api, region: eu-west-1, profile: dev }
routes:
  main: { upstream: %[4]q }
  narrow: { upstream: %[4]q, limits: { calls: 1, queue: 1, queue_wait: 30s } }
  hasty: { upstream: %[4]q, timeouts: { first_byte: 200ms } }
  dead: { upstream: "http://127.0.0.1:1/mcp", breaker: { failures: 2 } }
  meta: { upstream: %[4]q, trace_meta: true }
  keyless: { upstream: %[4]q, profile: gone }
`, address, s.path("keys"), more, s.upstream.URL+"/mcp")
}

// startCollector starts a Collector that writes what it gets into files, and is where it takes it by protocol.
func (s *stage) startCollector(protocol string) (endpoint string) {
	grpc, http := freeAddress(s.t), freeAddress(s.t)
	var exporters, pipelines strings.Builder
	for _, signal := range [...]string{"traces", "metrics", "logs"} {
		fmt.Fprintf(&exporters, "  file/%s: { path: %q }\n", signal, s.path(signal+".json"))
		fmt.Fprintf(&pipelines, "    %[1]s: { receivers: [otlp], exporters: [file/%[1]s] }\n", signal)
	}
	s.write("collector.yaml", fmt.Sprintf(`receivers:
  otlp: { protocols: { grpc: { endpoint: %q }, http: { endpoint: %q } } }
exporters:
%sservice:
  telemetry: { metrics: { level: none } }
  pipelines:
%s`, grpc, http, &exporters, &pipelines))
	s.collector = start(s.t, s.dir, "collector", nil, binary(s.t, "COLLECTOR"), "--config", s.path("collector.yaml"))
	s.collector.listens(s.t, grpc, http)
	if protocol == "grpc" {
		return "http://" + grpc
	}
	return "http://" + http
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// end ends the gateway, which sends what it still holds, and then the Collector, which writes what it still holds.
func (s *stage) end() told {
	s.t.Helper()
	s.gateway.stop(s.t)
	s.collector.stop(s.t)
	return readTold(s.t, s.dir)
}
