package gateway

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signet/config"
	"signet/gateway/sandbox"
)

// A cloud is a sandbox with an MCP server and a role for each route, and the AWS files that name them.
type cloud struct {
	*sandbox.Sandbox
	sts    *sandbox.STS
	routes map[string]config.Route
}

// newCloud starts a server for each route name, in a service and region of its own, behind a role of its
// own. Where serve is nil the servers listen on loopback; else it serves them and says at which URL.
func newCloud(t *testing.T, o sandbox.STSOptions, serve func(name string, s *sandbox.Server) string, names ...string) *cloud {
	t.Helper()
	c := &cloud{Sandbox: sandbox.New(sandbox.Options{}), routes: map[string]config.Route{}}
	t.Cleanup(c.Close)
	if serve == nil {
		serve = func(_ string, s *sandbox.Server) string { return s.URL() }
	}
	c.sts = c.STS(o)
	var profiles strings.Builder
	for i, name := range names {
		r := config.DefaultRoute()
		r.Service, r.Region, r.Profile = "svc-"+name, fmt.Sprintf("eu-west-%d", i+1), name
		r.Upstream = serve(name, c.MCP(sandbox.MCPOptions{
			Name: name, Service: r.Service, Region: r.Region, Identity: name,
		})) + "/mcp"
		c.routes[name] = r
		profiles.WriteString(fmt.Sprintf("[profile %s]\nrole_arn = %s\nsource_profile = base\n", name, c.Identity(name).RoleARN))
	}
	base := c.IssueStatic("base")
	profiles.WriteString(fmt.Sprintf("[profile base]\naws_access_key_id = %s\naws_secret_access_key = %s\n", base.AccessKeyID, base.SecretAccessKey))
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(profiles.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": file, "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "none"),
		"AWS_ENDPOINT_URL_STS": serve("sts", c.sts.Server), "AWS_REGION": "", "AWS_ACCESS_KEY_ID": "", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	return c
}

// inMemory serves servers on a network in memory, each under its own name.
func inMemory(t *testing.T, n *network) func(string, *sandbox.Server) string {
	return func(name string, s *sandbox.Server) string {
		host := name + ".test"
		s.Serve(n.listen(t, net.JoinHostPort(host, "80")))
		return "http://" + host
	}
}

// toolCall is a tools/call of a sandbox's tool.
func toolCall(id, tool, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"method":"tools/call","params":{"name":%q,"arguments":{"call":%q,"note":"ArGuMeNt7f3a",%s}}}`, id, tool, id, arguments)
}

// warm calls each route once, so that its credentials are there.
func (c *cloud) warm(t *testing.T, post func(route, body string) string) {
	t.Helper()
	for name := range c.routes {
		if body := post(name, toolCall("warm-"+name, "echo", `"text":"hello"`)); !isResult(body) {
			t.Fatalf("route %s: %s", name, body)
		}
	}
}

// until is a context that ends after d, or with the test.
func until(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// newRequest is a POST to a front's route.
func (f *front) newRequest(ctx context.Context, route, body string) *http.Request {
	r := must(http.NewRequestWithContext(ctx, http.MethodPost, "http://"+f.address+"/"+route, stringReader(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	return r
}
