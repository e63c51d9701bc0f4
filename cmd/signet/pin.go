package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"signet/config"
	"signet/gateway"
)

// listWithin bounds asking one upstream for its tools.
const listWithin = time.Minute

func (p *program) pinCommand() *cobra.Command {
	var file configFile
	var accept bool
	pin := &cobra.Command{
		Use:   "pin [ROUTE...]",
		Short: "Compare the tools of routes with what was accepted of them; --accept accepts them",
		Long: `Compare the tools of routes with what was accepted of them: which are new, changed or gone, what changed in them,
and which have characters that a reader does not see. Without ROUTE it is every route that pins its tools. Each
upstream is asked for its tools as the route signs, whether a gateway runs or not.

With --accept what they list now is written into the lock beside the config file (signet.lock for signet.yaml). A
running gateway follows it. Keep it with the config: a change of it is a change of what your models are told.

Exit codes: 0 all is as it was accepted, or was accepted now; 1 something differs, or an upstream cannot be asked;
3 the config is invalid.`,
		RunE: verb(func(routes []string) error {
			path, err := file.path(p.environ)
			if err != nil {
				return err
			}
			return p.pin(path, routes, accept)
		}),
	}
	file.flag(pin)
	pin.Flags().BoolVar(&accept, "accept", false, "accept the tools as they are now")
	return pin
}

// pin prints how the tools of routes differ from the lock, and makes the lock say what they are if accept says so.
func (p *program) pin(path string, routes []string, accept bool) error {
	cfg, err := config.Load(path, config.Options{Environ: p.environ})
	if err != nil {
		return err
	}
	if routes, err = pinned(cfg, routes); err != nil {
		return err
	}
	lock := toolLock(config.LockFile(cfg.Path))
	was, err := lock.read()
	if err != nil {
		return err
	}
	g, err := gateway.New(cfg, gateway.Options{Version: version(), Logger: nil})
	if err != nil {
		return err
	}
	stop, _, release := signals()
	defer release()
	defer func() { _ = g.Shutdown(stop) }()
	var failed []error
	differs := false
	accepted := map[string]map[string]config.Pin{}
	for _, route := range routes {
		now, err := inventory(stop, g, route)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		differs = p.printDrift(route, was.Routes[route], now) || differs
		accepted[route] = pinsOf(now)
	}
	switch {
	case accept && len(accepted) > 0:
		if err := lock.accept(accepted); err != nil {
			return errors.Join(append(failed, err)...)
		}
		fmt.Fprintf(p.stdout, "accepted in %s\n", lock)
	case differs && len(failed) == 0:
		return &exit{exitRuntime, nil}
	}
	return errors.Join(failed...)
}

// pinned are the routes to compare: those named, or all that pin their tools.
func pinned(cfg *config.Config, named []string) ([]string, error) {
	for _, name := range named {
		if r, ok := cfg.Routes[name]; !ok || !r.Enabled {
			return nil, &exit{exitUsage, fmt.Errorf("pin: there is no route %q, or it is not enabled", name)}
		}
	}
	if len(named) > 0 {
		return named, nil
	}
	var all []string
	for name, r := range cfg.Routes {
		if r.Enabled && r.Tools.Pin != "off" {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return nil, &exit{exitUsage, errors.New("pin: no route pins its tools: set tools.pin to warn or block, or name a route")}
	}
	slices.Sort(all)
	return all, nil
}

func inventory(ctx context.Context, g *gateway.Gateway, route string) ([]gateway.ToolDefinition, error) {
	ctx, cancel := context.WithTimeout(ctx, listWithin)
	defer cancel()
	return g.Inventory(ctx, route)
}

func pinsOf(tools []gateway.ToolDefinition) map[string]config.Pin {
	pins := map[string]config.Pin{}
	for _, tool := range tools {
		pins[tool.Name] = config.Pin{SHA256: tool.SHA256, Definition: tool.Definition}
	}
	return pins
}

// printDrift prints how the tools of a route differ from what was accepted, and reports whether they do.
func (p *program) printDrift(route string, was map[string]config.Pin, now []gateway.ToolDefinition) bool {
	var lines []string
	same := 0
	for _, tool := range now {
		before, known := was[tool.Name]
		switch {
		case !known:
			lines = append(lines, fmt.Sprintf("  new      %q", tool.Name))
			lines = append(lines, indented(gateway.ToolDiff([]byte("{}"), tool.Definition))...)
		case before.SHA256 != tool.SHA256:
			lines = append(lines, fmt.Sprintf("  changed  %q", tool.Name))
			lines = append(lines, indented(gateway.ToolDiff(before.Definition, tool.Definition))...)
		default:
			same++
		}
		if len(tool.Hidden) > 0 {
			lines = append(lines, fmt.Sprintf("  hidden   %q has characters that a reader does not see: %s", tool.Name, strings.Join(tool.Hidden, " ")))
		}
	}
	gone := 0
	for _, name := range sortedNames(was) {
		if !slices.ContainsFunc(now, func(tool gateway.ToolDefinition) bool { return tool.Name == name }) {
			gone++
			lines = append(lines, fmt.Sprintf("  gone     %q", name))
		}
	}
	fmt.Fprintf(p.stdout, "%s: %s, %d as accepted\n", route, count(len(now), "tool"), same)
	for _, line := range lines {
		fmt.Fprintln(p.stdout, line)
	}
	return same < len(now) || gone > 0
}

func indented(lines []string) []string {
	for i, line := range lines {
		lines[i] = "    " + line
	}
	return lines
}

func sortedNames(pins map[string]config.Pin) []string {
	var names []string
	for name := range pins {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// A toolLock is the path of a config.Lock.
type toolLock string

// read is what it says. One that is not there says nothing.
func (f toolLock) read() (config.Lock, error) {
	lock, err := config.ReadLock(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return config.Lock{}, nil
	}
	if err != nil {
		return config.Lock{}, &exit{exitConfig, fmt.Errorf("%s: %w", f, err)}
	}
	return lock, nil
}
