package main

import (
	"encoding/json"
	"strings"
	"testing"

	"signet/config"
)

func testConfig() *config.Config {
	cfg := config.Default()
	cfg.Path = "/home/u/signet.yaml"
	cfg.Auth.Keys = []config.Key{{Name: "a"}, {Name: "b"}}
	cfg.Routes = map[string]config.Route{
		"data":  {Enabled: true, UpstreamAuth: "sigv4", Service: "execute-api", Profile: "team"},
		"aws":   {Enabled: true, UpstreamAuth: "sigv4", Service: "aws-mcp", Region: "us-east-1"},
		"local": {Enabled: true, UpstreamAuth: "none"},
		"off":   {Enabled: false, UpstreamAuth: "none"},
	}
	return &cfg
}

func TestWelcomeShowsEveryRouteThatServes(t *testing.T) {
	var out strings.Builder
	welcome(&out, testConfig(), []string{"unix:///run/s.sock", "http://127.0.0.1:8484"})
	_, got, _ := strings.Cut(out.String(), "\n") // the first line has the version
	const want = `
  URL                           SIGNED FOR                  PROFILE
  http://127.0.0.1:8484/aws     aws-mcp/us-east-1           (environment, or default)
  http://127.0.0.1:8484/data    execute-api/(the profile's)  team
  http://127.0.0.1:8484/local   not signed                  -

  also at unix:///run/s.sock
  auth: keys, 2 keys in ~/.config/signet/keys
`
	if squeeze(got) != squeeze(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// squeeze is text with its columns' padding removed.
func squeeze(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, "\n")
}

func TestWelcomeSaysWhenEveryoneMayCall(t *testing.T) {
	cfg := testConfig()
	cfg.Auth.Mode = "none"
	if got := whoMayCall(cfg); !strings.Contains(got, "every program on this machine") {
		t.Errorf("%q does not say so", got)
	}
}

func TestEntryIsWhatClientsRead(t *testing.T) {
	var got struct {
		MCPServers map[string]struct {
			Type, URL string
			Headers   map[string]string
		}
	}
	if err := json.Unmarshal(entryJSON("aws", "http://127.0.0.1:8484/aws?a=1&b", "s"), &got); err != nil {
		t.Fatal(err)
	}
	server := got.MCPServers["aws"]
	if server.Type != "http" || server.URL != "http://127.0.0.1:8484/aws?a=1&b" || server.Headers["Authorization"] != "Bearer s" {
		t.Errorf("entry %+v", server)
	}
}

func TestClientsAreShownATCPAddressIfThereIsOne(t *testing.T) {
	cfg := testConfig()
	cfg.Listen = []string{"unix:///s", "127.0.0.1:1"}
	if got := configuredURL(cfg); got != "http://127.0.0.1:1" {
		t.Errorf("got %s", got)
	}
	cfg.TLS.CertFile = "cert.pem"
	if got := configuredURL(cfg); got != "https://127.0.0.1:1" {
		t.Errorf("got %s", got)
	}
	cfg.Listen = cfg.Listen[:1]
	if got := configuredURL(cfg); got != "unix:///s" {
		t.Errorf("got %s", got)
	}
}
