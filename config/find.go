package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// Find is the config file to use when none is named: $SIGNET_CONFIG, else signet/signet.yaml in
// $XDG_CONFIG_HOME or ~/.config. A ./signet.yaml is not looked for. The error lists what was tried.
func Find(environ []string) (string, error) {
	if path := variable(environ, "SIGNET_CONFIG"); path != "" {
		return path, nil
	}
	dir := variable(environ, "XDG_CONFIG_HOME")
	if dir == "" {
		dir = ExpandHome("~/.config", environ)
	}
	path := filepath.Join(dir, "signet", "signet.yaml")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("no config file found; tried:\n    $SIGNET_CONFIG (not set)\n    %s\nname one with -c FILE", path)
	}
	return path, nil
}

// ExpandHome is a path with a leading ~/ replaced by $HOME.
func ExpandHome(path string, environ []string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path
	}
	home := variable(environ, "HOME")
	if home == "" {
		home = ownHome()
	}
	if home == "" {
		return path // which no file has: the working directory is nobody's home
	}
	return filepath.Join(home, rest)
}

// ownHome is the home directory of whoever runs the program, for which the environment has no word. Empty: they
// have none.
func ownHome() string {
	if home, err := os.UserHomeDir(); err == nil {
		return home
	}
	self, err := user.Current()
	if err != nil {
		return ""
	}
	return self.HomeDir
}

// variable is the value of an environment variable, the last of its name; nil stands for os.Environ.
func variable(environ []string, name string) string {
	value, _ := lookup(environ, name)
	return value
}

func lookup(environ []string, name string) (string, bool) {
	if environ == nil {
		return os.LookupEnv(name)
	}
	for i := len(environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(environ[i], name+"="); ok {
			return value, true
		}
	}
	return "", false
}
