package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite the files that hold what a user sees")
	testscript.Main(m, map[string]func(){"signet": main, "awaitready": awaitReady})
}

// TestScripts runs what a user types. -update rewrites what they are expected to see.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       flag.Lookup("update").Value.String() == "true",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"freeport": freePort,
			"hold":     hold,
			"await":    await,
			"call":     call,
			"operator": operate,
			"code":     code,
			"mode":     mode,
			"edit":     edit,
			"signal":   sendSignal,
		},
	})
}

// setup gives a script a home, a runtime directory and nothing of the machine's own settings.
func setup(e *testscript.Env) error {
	e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
	e.Setenv("XDG_CONFIG_HOME", "")
	e.Setenv("XDG_RUNTIME_DIR", filepath.Join(e.WorkDir, "run"))
	e.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, dir := range []string{"home", "run"} {
		if err := os.MkdirAll(filepath.Join(e.WorkDir, dir), 0o700); err != nil {
			return err
		}
	}
	return nil
}
