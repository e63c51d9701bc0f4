package config

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLimitsAreReadKeyByKeyAndMayBeZero(t *testing.T) {
	cfg, _ := load(t, `-- signet.yaml --
memory: 1GiB
defaults:
  limits: { calls: 8, rate: 2.5, burst: 4, queue_wait: 10s }
  breaker: { failures: 3 }
routes:
  a: { upstream: https://aws-mcp.us-east-1.api.aws/mcp, limits: { calls: 4, streams: 0, queue: 0, per_client: 0 } }
  b: { upstream: https://aws-mcp.us-east-1.api.aws/mcp, limits: { queue_wait: 0s }, breaker: { failures: 0, open: 0s } }
`, Options{})
	usual := DefaultRoute()
	a, b := usual.Limits, usual.Limits
	a.Calls, a.Streams, a.Queue, a.PerClient, a.Rate, a.Burst, a.QueueWait = 4, 0, 0, 0, 2.5, 4, 10*time.Second
	b.Calls, b.Rate, b.Burst, b.QueueWait = 8, 2.5, 4, 0
	if cfg.Routes["a"].Limits != a || cfg.Routes["b"].Limits != b {
		t.Errorf("limits are\n%+v\n%+v, want\n%+v\n%+v", cfg.Routes["a"].Limits, cfg.Routes["b"].Limits, a, b)
	}
	if got := cfg.Routes["a"].Breaker; got != (Breaker{3, usual.Breaker.Open, usual.Breaker.MaxOpen}) {
		t.Errorf("breaker %+v", got)
	}
	if got := cfg.Routes["b"].Breaker; got != (Breaker{0, 0, usual.Breaker.MaxOpen}) {
		t.Errorf("breaker that is off: %+v", got)
	}
	if cfg.Memory != 1<<30 || len(cfg.Warnings) > 0 {
		t.Errorf("memory %d, warnings %v", cfg.Memory, cfg.Warnings)
	}
}

func TestMemoryIsSetByTheEnvironmentToo(t *testing.T) {
	cfg, _ := load(t, smallest, Options{Environ: []string{"SIGNET_MEMORY=64MiB"}})
	if cfg.Memory != 64<<20 {
		t.Errorf("memory %d", cfg.Memory)
	}
}

func TestCallsThatWouldWaitForAConnectionUnseenAreWarnedOf(t *testing.T) {
	const hint = "\n    calls would wait for a connection, signed and unseen"
	for name, test := range map[string]struct{ route, want string }{
		"the defaults":            {"upstream: http://127.0.0.1/mcp, service: s, region: r", ""},
		"HTTP/2":                  {"upstream: https://h.test/mcp, service: s, region: r, limits: { calls: 900 }", ""},
		"as many as there are":    {"upstream: http://127.0.0.1/mcp, upstream_auth: none, limits: { calls: 100, streams: 28 }", ""},
		"more calls":              {"upstream: http://127.0.0.1/mcp, upstream_auth: none, limits: { calls: 100 }", "1:%: routes.a.limits.calls: limits.calls + limits.streams, 164, is more than pool.max_connections, 128"},
		"more streams":            {"upstream: http://127.0.0.1/mcp, upstream_auth: none, limits: { streams: 65 }", "1:%: routes.a.limits.streams: limits.calls + limits.streams, 129, is more than pool.max_connections, 128"},
		"a smaller pool":          {"upstream: http://127.0.0.1/mcp, upstream_auth: none, pool: { max_connections: 100 }", "1:%: routes.a.pool.max_connections: limits.calls + limits.streams, 128, is more than pool.max_connections, 100"},
		"https without HTTP/2":    {"upstream: https://h.test/mcp, upstream_auth: none, pool: { http2: false, max_connections: 100 }", "1:%: routes.a.pool.max_connections: limits.calls + limits.streams, 128, is more than pool.max_connections, 100"},
		"http is never HTTP/2":    {"upstream: HTTP://127.0.0.1/mcp, upstream_auth: none, pool: { http2: true, max_connections: 100 }", "1:%: routes.a.pool.max_connections: limits.calls + limits.streams, 128, is more than pool.max_connections, 100"},
		"a body above the memory": {"upstream: https://h.test/mcp, upstream_auth: none, limits: { body: 257MiB }", "1:1: memory: is less than routes.a.limits.body: the largest calls would never pass"},
	} {
		cfg, dir := load(t, "-- signet.yaml --\nroutes: { a: { "+test.route+" } }\n", Options{})
		var got []string
		for _, w := range cfg.Warnings {
			text := strings.TrimSuffix(strings.TrimPrefix(w.String(), dir+"/signet.yaml:"), hint)
			if _, column, ok := strings.Cut(text, ":"); ok && !strings.HasPrefix(text, "1:1:") {
				_, rest, _ := strings.Cut(column, ":")
				text = "1:%:" + rest
			}
			got = append(got, text)
		}
		if want := strings.Fields(test.want); !slices.Equal(strings.Fields(strings.Join(got, "\n")), want) {
			t.Errorf("%s: warned of %q, want %q", name, got, test.want)
		}
	}
}
