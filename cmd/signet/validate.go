package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"signet/config"
)

func (p *program) validateCommand() *cobra.Command {
	var file configFile
	var asJSON, against bool
	validate := &cobra.Command{
		Use:   "validate [FILE...]",
		Short: "Check config files: every problem at once, no network, no credentials",
		Long: `Check config files: every problem at once, no network, no credentials.

With --against, one FILE is also held against the running gateway, as signet diff does: -c then names that
gateway's config, and without FILE it is that one that is checked.

Exit codes: 0 valid, 3 a file is invalid; with --against, 1 no gateway runs for that config.`,
		RunE: verb(func(files []string) error {
			if file.named != "" && len(files) > 0 && !against {
				return &exit{exitUsage, errors.New("validate: files are named by -c or as arguments, not both")}
			}
			if len(files) > 1 && against {
				return &exit{exitUsage, errors.New("validate: --against is about one FILE")}
			}
			if len(files) > 0 && !against {
				return p.validate(files, asJSON, "")
			}
			path, err := file.path(p.environ)
			if err != nil {
				return err
			}
			if len(files) == 0 {
				files = []string{path}
			}
			if !against {
				path = ""
			}
			return p.validate(files, asJSON, path)
		}),
	}
	file.flag(validate)
	validate.Flags().BoolVar(&asJSON, "json", false, "print the verdict as JSON")
	validate.Flags().BoolVar(&against, "against", false, "also say what a reload would change in the running gateway")
	return validate
}

// A verdict is what is wrong with one config file, as --json prints it.
type verdict struct {
	File     string    `json:"file"`
	Valid    bool      `json:"valid"`
	Routes   int       `json:"routes"`
	Problems []finding `json:"problems"`

	// Against is what a reload would do to the running gateway. Nil: it was not asked.
	Against *forecast `json:"against,omitempty"`
}

// A finding is one config.Problem, as --json prints it.
type finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Key     string `json:"key"`
	What    string `json:"what"`
	Hint    string `json:"hint,omitempty"`
	Warning bool   `json:"warning"`
	text    string
}

// validate prints the verdicts, and what the gateway that runs for the config file against, if that is not
// empty, would become. An invalid file ends the program with code 3.
func (p *program) validate(files []string, asJSON bool, against string) error {
	var invalid bool
	var unasked error // why the gateway could not be asked
	verdicts := make([]verdict, 0, len(files))
	for _, file := range files {
		v, err := judge(file, p.environ)
		if err != nil {
			return err
		}
		if against != "" && v.Valid {
			if v.Against, unasked = p.foresee(against, file); unasked == nil {
				invalid = !v.Against.Valid
			}
		}
		invalid = invalid || !v.Valid
		verdicts = append(verdicts, v)
	}
	if err := p.printVerdicts(verdicts, asJSON); err != nil {
		return err
	}
	if invalid {
		return &exit{exitConfig, nil}
	}
	return unasked
}

func judge(file string, env environ) (verdict, error) {
	v := verdict{File: file, Problems: []finding{}}
	cfg, err := config.Load(file, config.Options{Environ: env})
	var bad *config.Invalid
	switch {
	case errors.As(err, &bad):
		v.add(bad.Problems)
	case err != nil:
		return v, err
	default:
		v.Valid, v.Routes = true, len(cfg.Routes)
		v.add(cfg.Warnings)
	}
	return v, nil
}

func (v *verdict) add(problems []config.Problem) {
	for _, p := range problems {
		v.Problems = append(v.Problems, finding{p.File, p.Line, p.Column, p.Key, p.What, p.Hint, p.Warning, p.String()})
	}
}

// printVerdicts prints problems to stderr and what is fine to stdout; as JSON all goes to stdout.
func (p *program) printVerdicts(verdicts []verdict, asJSON bool) error {
	if asJSON {
		return p.printJSON(map[string]any{"schema": 1, "files": verdicts})
	}
	for _, v := range verdicts {
		for _, f := range v.Problems {
			text := f.text
			if f.Warning {
				text = "warning: " + text
			}
			fmt.Fprintln(p.stderr, text)
		}
		if v.Valid {
			fmt.Fprintf(p.stdout, "%s: ok, %s\n", v.File, count(v.Routes, "route"))
		} else {
			fmt.Fprintf(p.stderr, "%s: %s\n", v.File, count(len(v.Problems), "problem"))
		}
		if v.Against != nil {
			p.printForecast(v.Against)
		}
	}
	return nil
}

// count is "1 route" or "3 routes".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
