package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// run runs all of it so many times, and ends with the first run in which something is wrong.
func run(ctx context.Context, t tools, runs int) error {
	if err := os.Chmod(t.dir, 0o711); err != nil { // nginx's workers have another user
		return err
	}
	f, err := newField(ctx, t)
	defer f.stop()
	if err != nil {
		return err
	}
	for n := range runs {
		began := time.Now()
		r := &round{tools: t, field: f, dir: filepath.Join(t.dir, fmt.Sprintf("run-%d", n+1))}
		if err := r.all(ctx); err != nil {
			return fmt.Errorf("run %d of %d: %w", n+1, runs, err)
		}
		fmt.Printf("run %d of %d: all equal, in %.0f s; tried again: %d\n", n+1, runs, time.Since(began).Seconds(), r.again)
	}
	return nil
}

// A round is one run of everything.
type round struct {
	tools tools
	field *field
	dir   string
	again int // comparisons that were made anew
}

func (r *round) all(ctx context.Context) error {
	if err := os.MkdirAll(r.dir, 0o711); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{r.servers, r.controls, r.clients, r.behindNginx} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return r.field.signed()
}

// servers compares each server at each version.
func (r *round) servers(ctx context.Context) error {
	fmt.Printf("%-12s %-11s %9s %7s %5s %5s %6s %s\n", "SERVER", "VERSION", "SCENARIOS", "SCORED", "PASS", "FAIL", "OTHER", "GATEWAY")
	var wrong []error
	for _, u := range r.field.upstreams {
		for _, version := range versions() {
			wrong = append(wrong, r.compare(ctx, u, u.name, r.field.gateway.url(u.name), version))
		}
	}
	return errors.Join(wrong...)
}

// compare runs the suite against a server and against the way to it that is at url, and prints a row of the table.
// Where the two differ in nothing but checks that a slow machine decides, both are run again.
func (r *round) compare(ctx context.Context, u *upstream, way, url, version string) error {
	for try := 1; ; try++ {
		dir := filepath.Join(r.dir, fmt.Sprintf("%s-%s-%d", way, version, try))
		direct, err := r.tools.server(ctx, u.url, version, dir+"-direct")
		if err != nil {
			return fmt.Errorf("%s %s: %w", u.name, version, err)
		}
		through, err := r.tools.server(ctx, url, version, dir+"-gateway")
		if err != nil {
			return fmt.Errorf("%s %s through the gateway: %w", way, version, err)
		}
		err = judge(u.name, version, direct, through)
		if err == nil || !hurried(err) || try == tries {
			r.print(way, version, direct, err)
			return err
		}
		r.again++
		fmt.Printf("  again, for only checks with a time limit differ: %v\n", err)
	}
}

// print prints a row of the table.
func (r *round) print(server, version string, o outcome, err error) {
	equal := "equal"
	if err != nil {
		equal = "DIFFERS"
	}
	all, failed := o.tally.scenarios()
	pass, fail, total := o.tally.count("SUCCESS"), o.tally.count("FAILURE"), 0
	for _, n := range o.tally {
		total += n
	}
	scored := "-"
	if o.passed && pass > 0 {
		scored = fmt.Sprintf("%d/%d", o.scored, o.scored)
	}
	fmt.Printf("%-12s %-11s %9s %7s %5d %5d %6d %s\n", server, version,
		fmt.Sprintf("%d/%d", len(all)-len(failed), len(all)), scored, pass, fail, total-pass-fail, equal)
}

// controls are gateways that the comparison must find wanting, or it finds nothing at all.
func (r *round) controls(ctx context.Context) error {
	const version = "2025-03-26"
	first := r.field.upstreams[0]
	direct, err := r.tools.server(ctx, first.url, version, filepath.Join(r.dir, "control-direct"))
	if err != nil {
		return err
	}
	for _, route := range []string{routeForgetful, routeUnsigned} {
		through, err := r.tools.server(ctx, r.field.gateway.url(route), version, filepath.Join(r.dir, "control-"+route))
		if err != nil {
			return err
		}
		found := differences(direct.tally, through.tally)
		if len(found) == 0 {
			return fmt.Errorf("control: the route %q is broken, and the suite found it equal", route)
		}
		if route == routeUnsigned && r.field.broken.refused.Load() == 0 {
			return fmt.Errorf("control: the route %q does not sign, and its requests were taken", route)
		}
		fmt.Printf("control %-12s %d differences, as it must have\n", route, len(found))
	}
	return nil
}

// clients runs the client scenarios, directly and through a route: all must pass.
func (r *round) clients(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	everything := r.tools.program("everything-client")
	var wrong []error
	for i, s := range clientScenarios() {
		dir := filepath.Join(r.dir, fmt.Sprintf("client-%d", i))
		direct, err := r.tools.client(ctx, everything, s, dir+"-direct")
		if err != nil {
			return err
		}
		through, err := r.tools.client(ctx, self+" client", s, dir+"-gateway",
			envGateway+"="+r.tools.program("signet"), envClient+"="+everything, envDir+"="+r.tools.dir)
		if err != nil {
			return err
		}
		err = judgeClient(s, direct, through)
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, indent(through.output))
		}
		wrong = append(wrong, err)
		fmt.Printf("client %-36s %-11s %2d checks direct, %2d through a route: %s\n",
			s.name, s.version, direct.tally.count("SUCCESS"), through.tally.count("SUCCESS"), verdict(err))
	}
	return errors.Join(wrong...)
}

// behindNginx runs the suite through nginx and then the gateway, for both eras at one URL.
func (r *round) behindNginx(ctx context.Context) error {
	dir := filepath.Join(r.dir, "nginx")
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return err
	}
	nginx, address, err := startNginx(ctx, dir, r.field.gateway.address)
	if err != nil {
		return err
	}
	defer nginx.stop()
	if err := r.field.gateway.allow(ctx, "http://"+address); err != nil {
		return err
	}
	var wrong []error
	for _, version := range []string{"2025-11-25", modernVersion} {
		wrong = append(wrong, r.compare(ctx, r.field.upstream("dual"), "dual-nginx", "http://"+address+"/dual", version))
	}
	return errors.Join(wrong...)
}

func verdict(err error) string {
	if err != nil {
		return "FAILED"
	}
	return "green"
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}
