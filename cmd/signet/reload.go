package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) reloadCommand() *cobra.Command {
	var file configFile
	reload := &cobra.Command{
		Use:   "reload",
		Short: "Have the running gateway read its config file again, and say what changed",
		Long: `Have the running gateway read its config file again, and say what changed.

A saved file is applied without being asked for; this applies it now, and waits for the outcome. Of a changed
route it says which parts are new: connections, credentials, forwarding, limits. The others are kept.

Exit codes: 0 applied, 1 refused (the old config serves on) or no gateway runs for this file.`,
		Args: cobra.NoArgs,
		RunE: verb(func([]string) error {
			path, err := file.path(p.environ)
			if err != nil {
				return err
			}
			return p.reload(path)
		}),
	}
	file.flag(reload)
	return reload
}

// reload prints what the gateway of a config file changed, or why it did not.
func (p *program) reload(path string) error {
	stop, _, release := signals()
	defer release()
	gateway, err := p.running(path)
	if err != nil {
		return err
	}
	changes, err := gateway.reload(stop)
	var no *refusal
	if errors.As(err, &no) {
		fmt.Fprintf(p.stderr, "%v\n%s: refused, the old config serves on\n", no, gateway.config)
		return &exit{exitRuntime, nil}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s: applied as snapshot %d\n", gateway.config, changes.Snapshot)
	changeList{changes}.print(p.stdout)
	return nil
}
