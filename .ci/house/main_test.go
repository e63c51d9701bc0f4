package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The cases under testdata are trees laid over clean.txtar, with the exact problems they have. Each fails
// when its rule is dropped, and when the rule finds more than it should.
func TestEachRuleRefusesWhatBreaksIt(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d cases, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			files := clean(t)
			maps.Copy(files, readArchive(t, name))
			want := files["want"]
			delete(files, "want")
			if got := problems(t, files); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if (want == "") != (filepath.Base(name) == "clean.txtar") {
				t.Error("only the clean tree has nothing to refuse")
			}
		})
	}
}

// Its files are laid over the clean tree, so that it is held to the rules whatever the state of the product.
func TestTheHouseObeysItself(t *testing.T) {
	files := clean(t)
	own, err := filepath.Glob("*.go")
	if err != nil || len(own) == 0 {
		t.Fatal(own, err)
	}
	for _, name := range own {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[".ci/house/"+name] = string(text)
	}
	if got := problems(t, files); got != "" {
		t.Error(got)
	}
}

func TestEveryRoomOfTheTableHasACase(t *testing.T) {
	for dir := range table() {
		name := "testdata/imports_" + strings.ReplaceAll(dir, "/", "_") + ".txtar"
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

func TestRunExitsWithOneForProblemsAndTwoForUsage(t *testing.T) {
	good, bad := write(t, clean(t)), write(t, map[string]string{"Makefile": ""})
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{good}, 0, "", ""},
		{[]string{bad}, 1, "Makefile:1: ", "house: 1 problems\n"},
		{[]string{good, bad}, 2, "", "usage: house [DIR]\n"},
		{[]string{filepath.Join(good, "nowhere")}, 2, "", "no such file"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(c.args, &stdout, &stderr)
		if code != c.code || !begins(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: code %d, stdout %q, stderr %q", c.args, code, &stdout, &stderr)
		}
	}
}

// begins reports whether text begins as wanted, or is empty if that is wanted.
func begins(text, want string) bool {
	return text == want || want != "" && strings.HasPrefix(text, want)
}

func TestWithoutADirectoryItIsTheRepositoryAround(t *testing.T) {
	root := write(t, clean(t))
	t.Chdir(filepath.Join(root, "gateway", "sandbox"))
	got, err := rootOf(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(got, "gateway", "sandbox")); err != nil {
		t.Errorf("%s: %v", got, err)
	}
	t.Chdir(t.TempDir())
	if got, err := rootOf(nil); err == nil {
		t.Errorf("found %s", got)
	}
}
