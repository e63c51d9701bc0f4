package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"signet/gateway"
)

func (p *program) diffCommand() *cobra.Command {
	var file configFile
	var asJSON bool
	diff := &cobra.Command{
		Use:   "diff FILE",
		Short: "Say what a reload to FILE would do to the running gateway, without doing it",
		Long: `Say what a reload to FILE would do to the running gateway, without doing it: which routes it would add,
change, remove and keep, and which parts of a changed route it would make anew. The running gateway reads
FILE, with its own environment, and answers by the code that reloads. What is in nobody's hands before it is
done, such as an address that another program takes, a diff does not see.

The gateway asked is that of the config file that -c names.

Exit codes: 0 answered, whether there are changes or not; 1 no gateway runs for that config; 3 FILE is invalid.`,
		Args: cobra.ExactArgs(1),
		RunE: verb(func(args []string) error {
			path, err := file.path(p.environ)
			if err != nil {
				return err
			}
			return p.diff(path, args[0], asJSON)
		}),
	}
	file.flag(diff)
	diff.Flags().BoolVar(&asJSON, "json", false, "print the changes, or the problems, as JSON")
	return diff
}

// A forecast is what a reload to a file would do, as --json prints it.
type forecast struct {
	Schema   int              `json:"schema"`
	Config   string           `json:"config"` // of the running gateway
	File     string           `json:"file"`
	Valid    bool             `json:"valid"`
	Changes  *gateway.Changes `json:"changes,omitempty"`
	Problems []string         `json:"problems,omitempty"`
}

// diff prints what a reload to a file would do. An invalid file ends the program with code 3.
func (p *program) diff(path, file string, asJSON bool) error {
	f, err := p.foresee(path, file)
	if err != nil {
		return err
	}
	if asJSON {
		if err := p.printJSON(f); err != nil {
			return err
		}
	} else {
		p.printForecast(f)
	}
	if !f.Valid {
		return &exit{exitConfig, nil}
	}
	return nil
}

// foresee asks the gateway that runs for the config file at path. The error is that it cannot be asked.
func (p *program) foresee(path, file string) (*forecast, error) {
	stop, _, release := signals()
	defer release()
	// What is this process's own would be another to the gateway: a pipe, or standard input.
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() || strings.HasPrefix(file, "/dev/") || strings.HasPrefix(file, "/proc/") {
		return nil, &exit{exitUsage, fmt.Errorf("%s: the gateway has to read FILE itself, so it is a regular file", file)}
	}
	g, err := p.running(path)
	if err != nil {
		return nil, err
	}
	f := &forecast{Schema: 1, Config: g.config, File: file}
	changes, err := g.diff(stop, file)
	var no *refusal
	switch {
	case errors.As(err, &no):
		f.Problems = no.problems
	case err != nil:
		return nil, err
	default:
		f.Valid, f.Changes = true, &changes
	}
	return f, nil
}

// printForecast prints changes to stdout, and problems to stderr.
func (p *program) printForecast(f *forecast) {
	switch {
	case !f.Valid:
		fmt.Fprintf(p.stderr, "%v\n%s: %s\n", &refusal{f.Problems}, f.File, count(len(f.Problems), "problem"))
		return
	case changeList{*f.Changes}.none():
		fmt.Fprintf(p.stdout, "%s: a reload would change nothing\n", f.File)
	default:
		fmt.Fprintf(p.stdout, "%s: a reload would make snapshot %d\n", f.File, f.Changes.Snapshot)
	}
	changeList{*f.Changes}.print(p.stdout)
}

func (p *program) printJSON(v any) error {
	e := json.NewEncoder(p.stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
