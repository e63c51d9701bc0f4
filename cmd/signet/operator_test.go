//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOperatorSocketIsOnePerConfigFile(t *testing.T) {
	env := environ{"XDG_RUNTIME_DIR=" + t.TempDir()}
	dir := t.TempDir()
	of := func(file string) string {
		t.Helper()
		path, err := operatorPath(filepath.Join(dir, file), env)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	if of("a.yaml") != of("./a.yaml") {
		t.Error("one file has two sockets")
	}
	if of("a.yaml") == of("b.yaml") {
		t.Error("two files share a socket")
	}
	if !strings.HasPrefix(of("a.yaml"), env.get("XDG_RUNTIME_DIR")) {
		t.Errorf("%s is not in the runtime directory", of("a.yaml"))
	}
}

func TestOperatorSocketStaysWhenAFileIsALinkThatMoves(t *testing.T) {
	env := environ{"XDG_RUNTIME_DIR=" + t.TempDir()}
	dir := t.TempDir()
	path := filepath.Join(dir, "signet.yaml")
	var seen []string
	for _, target := range []string{"one", "two"} {
		_ = os.Remove(path)
		if err := os.Symlink(filepath.Join(dir, target), path); err != nil {
			t.Fatal(err)
		}
		socket, err := operatorPath(path, env)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, socket)
	}
	if seen[0] != seen[1] {
		t.Errorf("sockets %v: a moved link moved the socket", seen)
	}
}

func TestOperatorSocketFallsBackToADirectoryOfTheUser(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	path, err := operatorPath("signet.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory %v, %v; want mode 0700", info, err)
	}
}
