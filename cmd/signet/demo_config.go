package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A demoRoute is one of the demo's four upstreams, and who calls it.
type demoRoute struct {
	name, service, region string
	profile, identity     string
	upstream              string
}

// demoRoutes differ in service, region, identity and in how the credentials come.
func demoRoutes() []demoRoute {
	return []demoRoute{
		{name: "docs", service: "aws-mcp", region: "us-east-1", profile: "static", identity: "reader"},
		{name: "agents", service: "bedrock-agentcore", region: "us-west-2", profile: "process", identity: "agent"},
		{name: "data", service: "execute-api", region: "eu-central-1", profile: "role", identity: "analyst"},
		{name: "search", service: "lambda", region: "ap-southeast-2", profile: "short", identity: "finder"},
	}
}

// A demoConfig is the config file of the demo, which is edited while it is in use.
type demoConfig struct {
	dir    string
	routes []demoRoute
}

func (c *demoConfig) path() string     { return filepath.Join(c.dir, "signet.yaml") }
func (c *demoConfig) keysPath() string { return filepath.Join(c.dir, "keys") }

// A demoEdit is one save of the file.
type demoEdit struct {
	what   string // in words
	text   string
	faulty bool
}

// first is the file as the gateway starts with it.
func (c *demoConfig) first() string { return c.text("") }

// edits are the saves made while calls run, in order.
func (c *demoConfig) edits() []demoEdit {
	next := &demoConfig{dir: c.dir, routes: slices.Clone(c.routes)}
	next.routes[0].profile = "rotated"
	extra := next.routes[0]
	extra.name = "extra"
	more := &demoConfig{dir: c.dir, routes: append(slices.Clone(next.routes), extra)}
	return []demoEdit{
		{what: "docs: a profile with new keys", text: next.text("")},
		{what: "a fifth route", text: more.text("")},
		{what: "a misspelt key", text: strings.Replace(more.text(""), "upstream:", "upstraem:", 1), faulty: true},
		{what: "four routes, a shorter drain", text: next.text("drain: 10s\n")},
	}
}

// text is the file with more lines before its routes.
func (c *demoConfig) text(before string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "listen: [\"127.0.0.1:0\"]\nauth: { keys_file: %q }\n%sroutes:\n", c.keysPath(), before)
	for _, r := range c.routes {
		fmt.Fprintf(&b, "  %s:\n    upstream: %s\n    service: %s\n    region: %s\n    profile: %s\n",
			r.name, r.upstream, r.service, r.region, r.profile)
	}
	return b.String()
}

// save replaces the file as many editors do: a new one is renamed over it.
func (c *demoConfig) save(text string) error {
	next := c.path() + "~"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(next, c.path())
}
