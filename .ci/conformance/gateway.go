package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A gateway is a signet run.
type gateway struct {
	*program
	address      string
	binary, file string
	environ      []string
	key          key
	routes       map[string]target
}

// A target is a route: where its upstream is, and whether it signs.
type target struct {
	upstream string
	signs    bool
}

// startGateway starts signet with routes by name. Everything else is as it is by default.
func startGateway(ctx context.Context, binary, dir string, k key, routes map[string]target) (*gateway, error) {
	g := &gateway{binary: binary, file: filepath.Join(dir, "signet.yaml"), key: k, routes: routes}
	g.environ = append([]string{"HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "PATH=" + os.Getenv("PATH")}, k.environ()...)
	var wrong, err error
	g.program, g.address, err = start(ctx, dir, "signet", func(address string) *exec.Cmd {
		g.address = address
		wrong = g.write("")
		return g.command(ctx, "run")
	})
	return g, errors.Join(wrong, err)
}

// command is a verb of signet's, for the gateway's file.
func (g *gateway) command(ctx context.Context, verb string) *exec.Cmd {
	command := exec.CommandContext(ctx, g.binary, verb, "-c", g.file)
	command.Env = g.environ
	return command
}

// allow lets the pages of an origin call, as somebody who puts a proxy in front has to.
func (g *gateway) allow(ctx context.Context, origin string) error {
	if err := g.write(origin); err != nil {
		return err
	}
	output, err := g.command(ctx, "reload").CombinedOutput()
	if err != nil {
		return fmt.Errorf("signet reload: %w: %s", err, output)
	}
	return nil
}

// write writes the gateway's file. The suite cannot send a key, so callers need none.
func (g *gateway) write(origin string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "listen: [%q]\nauth:\n  mode: none\n", g.address)
	if origin != "" {
		fmt.Fprintf(&b, "  allowed_origins: [%q]\n", origin)
	}
	b.WriteString("routes:\n")
	for _, name := range slices.Sorted(maps.Keys(g.routes)) {
		route := g.routes[name]
		if route.signs {
			fmt.Fprintf(&b, "  %s: { upstream: %q, service: %s, region: %s }\n", name, route.upstream, g.key.service, g.key.region)
		} else {
			fmt.Fprintf(&b, "  %s: { upstream: %q, upstream_auth: none }\n", name, route.upstream)
		}
	}
	return os.WriteFile(g.file, []byte(b.String()), 0o600)
}

// url is where a route is.
func (g *gateway) url(route string) string { return "http://" + g.address + "/" + route }
