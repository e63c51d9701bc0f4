package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// warnings is what the load of a config warns of.
func warnings(t *testing.T, text string) (*Config, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signet.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(path, Options{Environ: []string{"HOME=" + t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, w := range cfg.Warnings {
		all = append(all, w.Key+": "+w.What)
	}
	return cfg, strings.Join(all, "\n")
}

func TestToolsAreWarnedOfRulesThatUndoOthers(t *testing.T) {
	cfg, got := warnings(t, `
routes:
  all: { upstream: "http://127.0.0.1:1/", upstream_auth: none, tools: { read_only: true, allow: ["a", "*"] } }
  none: { upstream: "http://127.0.0.1:1/", upstream_auth: none, tools: { deny: ["**"], timeouts: { "slow_*": 10m } } }
  new: { upstream: "http://127.0.0.1:1/", upstream_auth: none, tools: { pin: warn } }
`)
	want := "routes.all.tools.allow.1: allows every tool, and so read_only says nothing\n" +
		"routes.none.tools.deny.0: denies every tool\n" +
		"routes.new.tools.pin: no tool is pinned yet: every one is reported as new"
	if got != want {
		t.Errorf("warned of\n%s\nwant\n%s", got, want)
	}
	if lock := LockFile(cfg.Path); !strings.HasSuffix(lock, "/signet.lock") || !strings.Contains(strings.Join(cfg.Files, " "), lock) {
		t.Errorf("the lock, %s, is not followed: %v", lock, cfg.Files)
	}
}

func TestProfilesAndProfileTakeEachOthersPlaceInTheDefaults(t *testing.T) {
	cfg, _ := warnings(t, `
defaults: { profile: dev }
routes:
  one: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp" }
  many: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp", profiles: [a, b] }
  empty: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp", profiles: [] }
`)
	for name, want := range map[string]string{"one": "dev", "many": "a", "empty": "dev"} {
		if got := cfg.Routes[name].Profile; got != want {
			t.Errorf("%s signs as %q, want %q", name, got, want)
		}
	}
	cfg, _ = warnings(t, `
defaults: { profiles: [a, b], profile_param: { name: p } }
routes:
  many: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp" }
  one: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp", profile: dev }
  unsigned: { upstream: "https://aws-mcp.us-east-1.api.aws/mcp", upstream_auth: none }
`)
	for name, want := range map[string]int{"many": 2, "one": 0, "unsigned": 0} {
		if got := len(cfg.Routes[name].Profiles); got != want {
			t.Errorf("%s has %d profiles, want %d", name, got, want)
		}
	}
}
