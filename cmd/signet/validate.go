package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"signet/config"
)

func (p *program) validateCommand() *cobra.Command {
	var file configFile
	var asJSON bool
	validate := &cobra.Command{
		Use:   "validate [FILE...]",
		Short: "Check config files: every problem at once, no network, no credentials",
		RunE: verb(func(files []string) error {
			if file.named != "" && len(files) > 0 {
				return &exit{exitUsage, errors.New("validate: files are named by -c or as arguments, not both")}
			}
			if len(files) == 0 {
				path, err := file.path(p.environ)
				if err != nil {
					return err
				}
				files = []string{path}
			}
			return p.validate(files, asJSON)
		}),
	}
	file.flag(validate)
	validate.Flags().BoolVar(&asJSON, "json", false, "print the verdict as JSON")
	return validate
}

// A verdict is what is wrong with one config file, as --json prints it.
type verdict struct {
	File     string    `json:"file"`
	Valid    bool      `json:"valid"`
	Routes   int       `json:"routes"`
	Problems []finding `json:"problems"`
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

// validate prints the verdicts. An invalid file ends the program with code 3.
func (p *program) validate(files []string, asJSON bool) error {
	invalid := false
	verdicts := make([]verdict, 0, len(files))
	for _, file := range files {
		v, err := judge(file, p.environ)
		if err != nil {
			return err
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
	return nil
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
		e := json.NewEncoder(p.stdout)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(map[string]any{"schema": 1, "files": verdicts})
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
