package main

import (
	"github.com/spf13/cobra"

	"signet/config"
)

// A configFile is the config file a command reads: named by a flag, else found.
type configFile struct {
	named string
}

func (f *configFile) flag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.named, "config", "c", "",
		"config file (default: $SIGNET_CONFIG, then signet/signet.yaml in $XDG_CONFIG_HOME or ~/.config)")
}

// path returns the file's path. That none is found is the config's fault: exit 3, with the paths tried.
func (f *configFile) path(environ []string) (string, error) {
	if f.named != "" {
		return f.named, nil
	}
	path, err := config.Find(environ)
	if err != nil {
		return "", &exit{exitConfig, err}
	}
	return path, nil
}
