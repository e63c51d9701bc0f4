package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"signet/gateway/sandbox"
)

const (
	// demoLife is how long handed-out credentials last: so short that they are replaced while calls run.
	demoLife = 2 * time.Second

	// demoSlowSTS is how long the pretend STS thinks. Calls do not wait for it while credentials are valid.
	demoSlowSTS = 400 * time.Millisecond
)

// A demoCloud is the demo's pretend AWS, and the files by which profiles reach it.
type demoCloud struct {
	dir     string
	sandbox *sandbox.Sandbox
	sts     *sandbox.STS
	servers []*sandbox.Server
	vending net.Listener
}

// newDemoCloud starts an MCP server for each route, an STS and a place that hands out credentials, and
// writes their upstreams into routes.
func newDemoCloud(dir string, routes []demoRoute) (*demoCloud, error) {
	c := &demoCloud{dir: dir, sandbox: sandbox.New(sandbox.Options{})}
	for i, r := range routes {
		server := c.sandbox.MCP(sandbox.MCPOptions{Name: r.name, Service: r.service, Region: r.region, Identity: r.identity})
		c.servers = append(c.servers, server)
		routes[i].upstream = server.URL() + "/mcp"
	}
	c.sts = c.sandbox.STS(sandbox.STSOptions{Delay: func(int) time.Duration { return demoSlowSTS }, Life: demoLife})
	var err error
	if c.vending, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	vend := &http.Server{Handler: http.HandlerFunc(c.vend), ReadHeaderTimeout: demoPatience}
	go func() { _ = vend.Serve(c.vending) }() // it ends when close closes the listener
	return c, c.writeProfiles()
}

// close ends everything that was started.
func (c *demoCloud) close() {
	_ = c.vending.Close()
	c.sandbox.Close()
}

// vend hands out credentials of the identity that the path names, as credential_process has to print them.
func (c *demoCloud) vend(w http.ResponseWriter, r *http.Request) {
	issued := c.sandbox.Issue(strings.TrimPrefix(r.URL.Path, "/"), demoLife)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"Version": 1, "AccessKeyId": issued.AccessKeyID, "SecretAccessKey": issued.SecretAccessKey,
		"SessionToken": issued.SessionToken, "Expiration": issued.Expires.UTC().Format(time.RFC3339Nano),
	})
}

func (c *demoCloud) configPath() string      { return filepath.Join(c.dir, "aws-config") }
func (c *demoCloud) credentialsPath() string { return filepath.Join(c.dir, "aws-credentials") }

// writeProfiles writes what stands in ~/.aws of somebody who uses such an AWS.
func (c *demoCloud) writeProfiles() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	vended := func(identity string) string {
		return fmt.Sprintf("credential_process = %q demo-credentials http://%s/%s\n", self, c.vending.Addr(), identity)
	}
	profiles := "[profile process]\n" + vended("agent") +
		"[profile short]\n" + vended("finder") +
		"[profile role]\nsource_profile = static\nrole_session_name = demo\nrole_arn = " + c.sandbox.Identity("analyst").RoleARN + "\n"
	keys := "[static]\n" + c.staticKeys("reader") + "[rotated]\n" + c.staticKeys("reader")
	// Somebody's own were not saved just now: such files are read twice.
	lastYear := time.Now().AddDate(-1, 0, 0)
	return errors.Join(
		os.WriteFile(c.configPath(), []byte(profiles), 0o600), os.Chtimes(c.configPath(), lastYear, lastYear),
		os.WriteFile(c.credentialsPath(), []byte(keys), 0o600), os.Chtimes(c.credentialsPath(), lastYear, lastYear),
	)
}

// staticKeys are new long-lived keys of an identity, as a profile has them.
func (c *demoCloud) staticKeys(identity string) string {
	issued := c.sandbox.IssueStatic(identity)
	return fmt.Sprintf("aws_access_key_id = %s\naws_secret_access_key = %s\n", issued.AccessKeyID, issued.SecretAccessKey)
}

// shield makes the process blind to the user's own AWS, OpenTelemetry and signet settings, and shows it
// the demo's instead. What the process was started with is not undone: the demo is all it does.
func (c *demoCloud) shield() error {
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "OTEL_") || strings.HasPrefix(name, "SIGNET_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": c.configPath(), "AWS_SHARED_CREDENTIALS_FILE": c.credentialsPath(),
		"AWS_ENDPOINT_URL_STS": c.sts.URL(), "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1",
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}
