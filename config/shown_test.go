package config

import (
	"strings"
	"testing"
)

func TestFault_K15_WarningsPrintNothingOfTheEnvironment(t *testing.T) {
	cfg, _ := load(t, `-- signet.yaml --
routes:
  aws:
    upstream: https://aws-mcp.us-east-1.api.aws/mcp
    region: ${REGION}
    service: ${SERVICE}
    profile: ${PROFILE}
-- .aws/config --
[default]
`, Options{Environ: []string{"REGION=eu-canary-1", "SERVICE=canary", "PROFILE=canary"}})
	if len(cfg.Warnings) != 3 {
		t.Errorf("%d warnings, want one each of region, service and profile: %v", len(cfg.Warnings), cfg.Warnings)
	}
	for _, w := range cfg.Warnings {
		if text := w.String(); strings.Contains(text, "canary") || !strings.Contains(text, "(not shown)") {
			t.Errorf("%s", text)
		}
	}
}

func TestHeadersOfTheDefaultsGiveWayInAnyCase(t *testing.T) {
	cfg, _ := load(t, `-- signet.yaml --
defaults: { headers: { X-Team: a, X-Env: prod } }
routes:
  one: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp", headers: { x-team: b } }
  two: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp" }
`, Options{})
	one, two := cfg.Routes["one"].Headers, cfg.Routes["two"].Headers
	if len(one) != 2 || one["x-team"] != "b" || one["X-Env"] != "prod" {
		t.Errorf("the route that sets one has %v", one)
	}
	if len(two) != 2 || two["X-Team"] != "a" {
		t.Errorf("the route that sets none has %v", two)
	}
}

func TestAnEmptyRegionIsNone(t *testing.T) {
	cfg, _ := load(t, smallest+"    region: \"\"\n", Options{})
	if got := cfg.Routes["aws"].Region; got != "us-east-1" {
		t.Errorf("region %q, want the host's", got)
	}
}

func TestAFileThatTwoPatternsMatchIsReadOnce(t *testing.T) {
	cfg, _ := load(t, `-- signet.yaml --
include: [conf.d/*.yaml, conf.d/a.yaml]
-- conf.d/a.yaml --
routes:
  a: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp" }
`, Options{})
	if len(cfg.Routes) != 1 {
		t.Errorf("%v", cfg.Routes)
	}
}

func TestS3HostsAreThoseOfAWSAlone(t *testing.T) {
	for host, want := range map[string]bool{
		"s3.us-east-1.amazonaws.com": true, "b.s3.us-east-1.amazonaws.com": true, "s3-fips.us-east-1.amazonaws.com": true,
		"b.s3.cn-north-1.amazonaws.com.cn": true, "s3.amazonaws.com.": true,
		"s3.example.com": false, "bs3.execute-api.us-east-1.amazonaws.com": false, "s3.amazonaws.com.evil.com": false,
	} {
		if isS3(host) != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
}

func TestProblemsOfOnePlaceHaveAnOrder(t *testing.T) {
	o := Options{
		Environ: []string{"SIGNET_LOG_LEVEL=a", "SIGNET_DRAIN=b", "SIGNET_LOG_FORMAT=c", "SIGNET_TELEMETRY_TRACES=d"},
		Flags:   map[string]any{"auth.mode": "e", "drain": "f", "log.level": "g", "log.format": "h"},
	}
	first := ""
	for range 20 {
		_, err := Load("../examples/minimal.yaml", o)
		if err == nil {
			t.Fatal("it was accepted")
		}
		if first == "" {
			first = err.Error()
		}
		if err.Error() != first {
			t.Fatalf("once it was\n%v\nand once\n%s", err, first)
		}
	}
}
