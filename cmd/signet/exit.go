package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"signet/config"
)

// An exit is an error with the code that the program ends with. Err is nil when everything worth saying
// has been said.
type exit struct {
	code int
	err  error
}

// The exit codes are part of what users script against.
const (
	exitOK      = 0
	exitRuntime = 1
	exitUsage   = 2
	exitConfig  = 3
	exitHealth  = 4
)

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// exitOf gives err its code: what a config file is to blame for is 3, anything else 1.
func exitOf(err error) error {
	if already := (*exit)(nil); errors.As(err, &already) {
		return err
	}
	if invalid := (*config.Invalid)(nil); errors.As(err, &invalid) {
		return &exit{exitConfig, err}
	}
	return &exit{exitRuntime, err}
}

// complain tells the user about err and returns the exit code. An error that no verb has returned comes
// from cobra, and is about usage.
func (p *program) complain(cmd *cobra.Command, err error) int {
	var e *exit
	if !errors.As(err, &e) {
		fmt.Fprintf(p.stderr, "signet: %v\nRun '%s --help' for how it is used.\n", err, cmd.CommandPath())
		return exitUsage
	}
	var invalid *config.Invalid
	switch {
	case e.err == nil:
	case errors.As(err, &invalid):
		fmt.Fprintf(p.stderr, "%v\n", invalid)
	default:
		fmt.Fprintf(p.stderr, "signet: %v\n", err)
	}
	return e.code
}
