package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever a file holds, Load ends, with a Config or with problems that have a place, and none of them prints
// what the environment holds.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{
		smallestText, "", "{", "a: &a [*a]", "? x\n: y", "%YAML 1.2\n---\n", "routes: {a: ~}", "listen: [\"${SECRET}\"]\nroutes: {a: {upstream: \"${SECRET}\"}}",
		"routes: {a: {upstream: \"https://${SECRET}\", headers: {X: \"${SECRET}\"}}}", "drain: 1h\nlimits: 1", "<<: {a: b}", "- a\n- b", "a: |\n  b\n c", "\"a\\u0000\": 1", "routes: {a: {limits: {body: 9GiB}, pool: {max_connections: 0x1}}}",
	} {
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "file:") || strings.Contains(text, "include") {
			t.Skip("it may name a file of this machine, or match what other runs leave behind")
		}
		path := filepath.Join(dir, "signet.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := Load(path, Options{Environ: []string{"HOME=" + dir, "SECRET=canary-4711"}})
		var invalid *Invalid
		switch {
		case err == nil:
			for _, p := range cfg.Warnings {
				holds(t, p, text)
			}
		case !errors.As(err, &invalid):
			t.Fatalf("not problems: %v", err)
		case err.Error() == "":
			t.Fatal("refused without a word")
		default:
			for _, p := range invalid.Problems {
				holds(t, p, text)
			}
		}
	})
}

// holds checks what is promised of every problem.
func holds(t *testing.T, p Problem, text string) {
	t.Helper()
	if p.File == "" || p.What == "" || p.Line < 0 || p.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+2 {
		t.Errorf("%+v", p)
	}
	if strings.Contains(p.String(), "canary-4711") && !strings.Contains(text, "canary-4711") {
		t.Errorf("a value of the environment is in %q", p)
	}
}
