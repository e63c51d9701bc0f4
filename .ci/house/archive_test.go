package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readArchive is the files of a txtar archive by name. What stands before the first is a comment.
func readArchive(t *testing.T, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return parseArchive(string(text))
}

func parseArchive(text string) map[string]string {
	files := map[string]string{}
	current := ""
	for line := range strings.Lines(text) {
		if name, ok := header(line); ok {
			current = name
			files[name] = ""
		} else if current != "" {
			files[current] += line
		}
	}
	return files
}

// header is the name in a line of the form "-- name --".
func header(line string) (string, bool) {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "-- ")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, " --")
}

func clean(t *testing.T) map[string]string {
	t.Helper()
	return readArchive(t, "testdata/clean.txtar")
}

// write writes files below a new directory, which it returns. A file laid over a directory's name, or the
// other way round, replaces it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// problems is what inspect prints of a tree of these files.
func problems(t *testing.T, files map[string]string) string {
	t.Helper()
	found, err := inspect(write(t, files))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range found {
		fmt.Fprintln(&b, p)
	}
	return b.String()
}

func TestAnArchiveIsReadToTheByte(t *testing.T) {
	got := parseArchive("a comment\n-- a.txt --\none\n-- not a header\n\n-- b/c --\n-- d --\nlast")
	want := map[string]string{"a.txt": "one\n-- not a header\n\n", "b/c": "", "d": "last"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
