package main

import (
	"os"
	"strings"
)

// checkTop holds the top level against the few things that may stand there.
func (t *tree) checkTop() error {
	entries, err := os.ReadDir(t.root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !atTop(e.Name(), e.IsDir()) {
			t.refuse(e.Name(), 1, "does not belong at the top level", "move it into cmd, gateway, config, examples or a dot-folder")
		}
	}
	return nil
}

func atTop(name string, dir bool) bool {
	switch name {
	case "cmd", "gateway", "config", "examples":
		return dir
	case "go.mod", "go.sum", "README.md", "CHANGELOG.md":
		return !dir
	}
	return strings.HasPrefix(name, ".")
}
