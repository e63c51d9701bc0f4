package config

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
)

func TestMetaIsMergedKeyByKeyAndItsKeysMayHaveASlash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signet.yaml")
	makeFile(t, path, `
defaults:
  meta: { AWS_REGION: auto, com.example/team: a, "com.example/a/b": x }
  forward_headers: [X-A, X-B]
routes:
  one: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp", meta: { com.example/team: b }, forward_headers: [X-C], trace_meta: true }
  two: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp", meta: { AWS_REGION: "" } }
`)
	cfg, err := Load(path, Options{Environ: []string{"HOME=" + t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]map[string]string{
		"one": {"AWS_REGION": "auto", "com.example/team": "b", "com.example/a/b": "x"},
		"two": {"AWS_REGION": "", "com.example/team": "a", "com.example/a/b": "x"},
	} {
		if got := cfg.Routes[name].Meta; !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if r := cfg.Routes["one"]; !slices.Equal(r.ForwardHeaders, []string{"X-C"}) || !r.TraceMeta {
		t.Errorf("a route's own list wins: %v, trace_meta %v", r.ForwardHeaders, r.TraceMeta)
	}
}
