package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// manyRoutes is a config of 20 files, each less than 1 MiB, that have so many routes each.
func manyRoutes(tb testing.TB, each int) string {
	const files = 20
	path := filepath.Join(tb.TempDir(), "signet.yaml")
	makeFile(tb, path, "auth: { mode: none }\ninclude: [conf.d/*.yaml]\ndefaults: { profile: team, headers: { X-Team: platform } }\n")
	for f := range files {
		var b strings.Builder
		b.WriteString("routes:\n")
		for r := range each {
			fmt.Fprintf(&b, "  r%05d:\n    upstream: https://bedrock-agentcore.us-west-2.amazonaws.com/runtimes/arn%%3Aaws%%3Ax%%2F%d/invocations?qualifier=DEFAULT\n    region: us-west-2\n    pool: { max_connections: 64, max_idle: 8 }\n    timeouts: { first_byte: 30s }\n", f*each+r, f*each+r)
		}
		makeFile(tb, filepath.Join(filepath.Dir(path), "conf.d", fmt.Sprintf("%02d.yaml", f)), b.String())
	}
	return path
}

// Row K07; 10,000 routes with SIGNET_LONG, and in the benchmark.
func TestFault_K07_EveryRouteOfManyFilesIsThere(t *testing.T) {
	t.Parallel()
	each := 50
	if os.Getenv("SIGNET_LONG") != "" {
		each = 500
	}
	cfg, err := Load(manyRoutes(t, each), Options{Environ: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Routes) != 20*each || len(cfg.Files) != 21 {
		t.Errorf("%d routes of %d files", len(cfg.Routes), len(cfg.Files))
	}
	for name, r := range cfg.Routes {
		if r.Profile != "team" || r.Headers["X-Team"] != "platform" || r.Pool.MaxIdle != 8 || r.Service != "bedrock-agentcore" {
			t.Fatalf("%s: %+v", name, r)
		}
	}
	cfg.Routes["r00000"].Headers["X-Team"] = "another"
	if cfg.Routes["r00001"].Headers["X-Team"] != "platform" {
		t.Error("two routes share the headers of the defaults")
	}
}

// Row K07: load and swap within 2 s. The swap is the gateway's benchmark.
func BenchmarkLoad10000(b *testing.B) {
	path := manyRoutes(b, 500)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(path, Options{Environ: []string{}}); err != nil {
			b.Fatal(err)
		}
	}
}

// Every file has one route, and every route a mistake: nothing may be looked for among all the others.
func BenchmarkLoad10000Mistakes(b *testing.B) {
	path := filepath.Join(b.TempDir(), "signet.yaml")
	makeFile(b, path, "auth: { mode: none }\ninclude: [conf.d/*.yaml]\n")
	for r := range 10_000 {
		makeFile(b, filepath.Join(filepath.Dir(path), "conf.d", fmt.Sprintf("%05d.yaml", r)), fmt.Sprintf("routes: { r%d: { upstream: https://mcp.example.com/ } }\n", r))
	}
	for b.Loop() {
		var invalid *Invalid
		if _, err := Load(path, Options{Environ: []string{}}); !errors.As(err, &invalid) || len(invalid.Problems) != 10_000 {
			b.Fatal(len(invalid.Problems))
		}
	}
}

func BenchmarkLoad1(b *testing.B) {
	path := filepath.Join(b.TempDir(), "signet.yaml")
	makeFile(b, path, smallestText)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(path, Options{Environ: []string{}}); err != nil {
			b.Fatal(err)
		}
	}
}
