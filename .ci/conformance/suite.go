package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// scenarioTime bounds one scenario, and suiteTime a whole run of them.
const (
	scenarioTime = 30 * time.Second
	suiteTime    = 5 * time.Minute
)

// An outcome is what a run of the suite came to.
type outcome struct {
	tally  tally
	said   map[check]string
	passed bool // says the suite, of what is scored
	scored int  // scenarios
	output string
}

// server runs the suite's scenarios of a protocol version against the server at a URL. Where the suite has a list
// of what that version requires, it is that list; dir is for what the suite writes.
func (t tools) server(ctx context.Context, url, version, dir string) (outcome, error) {
	args := []string{"server", "--url", url}
	if t.hasRequirements(version) {
		args = append(args, "--requirements", version)
	} else {
		args = append(args, "--suite", "all", "--spec-version", version)
	}
	return t.runSuite(ctx, dir, nil, args...)
}

// hasRequirements reports whether the suite knows what a version requires.
func (t tools) hasRequirements(version string) bool {
	_, err := os.Stat(filepath.Join(filepath.Dir(filepath.Dir(t.suite())), "requirements", version+".yaml"))
	return err == nil
}

// client runs one of the suite's scenarios for clients with a command as the client.
func (t tools) client(ctx context.Context, command string, s scenario, dir string, env ...string) (outcome, error) {
	return t.runSuite(ctx, dir, env, "client", "--command", command, "--scenario", s.name, "--spec-version", s.version)
}

// runSuite runs the suite. That checks failed is no error; that it could not run them is one.
func (t tools) runSuite(ctx context.Context, dir string, env []string, args ...string) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, suiteTime)
	defer cancel()
	args = append([]string{t.suite()}, args...)
	args = append(args, "-o", dir, "--timeout", strconv.FormatInt(scenarioTime.Milliseconds(), 10))
	command := exec.CommandContext(ctx, t.node(), args...)
	command.Env = append(os.Environ(), env...)
	command.WaitDelay = time.Second
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	failed := command.Run()
	if ctx.Err() != nil || command.ProcessState == nil || command.ProcessState.ExitCode() > 1 {
		return outcome{}, fmt.Errorf("the suite: %w: %s", failed, output.String())
	}
	if err := os.WriteFile(dir+".txt", output.Bytes(), 0o600); err != nil {
		return outcome{}, err
	}
	got, said, err := readTally(dir)
	if err != nil {
		return outcome{}, err
	}
	if len(got) == 0 {
		return outcome{}, fmt.Errorf("the suite checked nothing: %s", output.String())
	}
	o := outcome{tally: got, said: said, passed: failed == nil, output: output.String()}
	all, _ := got.scenarios()
	o.scored = len(all) - unscored(o.output)
	return o, nil
}

// unscored is how many of the scenarios that ran do not count, as the suite says.
func unscored(output string) int {
	match := regexp.MustCompile(`Not scored for \S+: (\d+) scenario`).FindStringSubmatch(output)
	if match == nil {
		return 0
	}
	n, _ := strconv.Atoi(match[1])
	return n
}
