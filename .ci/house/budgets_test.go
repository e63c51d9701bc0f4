package main

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// laid is the clean tree with files over it, and enough lines of tests for any amount of code.
func laid(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	all := clean(t)
	for i := range 40 {
		all[fmt.Sprintf("gateway/tests%d_test.go", i)] = lines("package gateway\n", 300)
	}
	maps.Copy(all, files)
	return all
}

// lines is text with comments up to n lines.
func lines(text string, n int) string {
	return text + strings.Repeat("//\n", n-strings.Count(text, "\n"))
}

// function is one of n lines.
func function(name string, n int) string {
	return "func " + name + "() {\n" + strings.Repeat("\tf()\n", n-2) + "}\n"
}

const policy = "// Package policy decides.\npackage policy\n"

func TestABudgetIsRefusedOneLineAboveIt(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"file at its budget", map[string]string{"gateway/policy/a.go": lines(policy, 300)}, ""},
		{"file over it", map[string]string{"gateway/policy/a.go": lines(policy, 301)},
			"gateway/policy/a.go:301: 301 lines, of 300 allowed: split the file by noun\n"},
		{"file of a dot-folder", map[string]string{".ci/tool/a.go": lines("// Tool works.\npackage main\n", 301)},
			".ci/tool/a.go:301: 301 lines, of 300 allowed: split the file by noun\n"},
		{"test at its budget", map[string]string{"gateway/a_test.go": lines("package gateway\n", 500)}, ""},
		{"test over it", map[string]string{"gateway/a_test.go": lines("package gateway\n", 501)},
			"gateway/a_test.go:501: 501 lines, of 500 allowed: split the file by noun\n"},
		{"function at its budget", map[string]string{"gateway/policy/a.go": policy + small(30) + function("long", 70)}, ""},
		{"function over it", map[string]string{"gateway/policy/a.go": policy + small(30) + function("long", 71)},
			"gateway/policy/a.go:33: long has 71 lines, of 70 allowed: split it at the height it works at\n"},
		{"function of a test", map[string]string{"gateway/a_test.go": "package gateway\n" + function("long", 71)},
			"gateway/a_test.go:2: long has 71 lines, of 70 allowed: split it at the height it works at\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := problems(t, laid(t, c.files)); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// small is n functions of one line.
func small(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "func f%d() {}\n", i)
	}
	return b.String()
}

func TestTheMedianFileIsRefusedAbove120Lines(t *testing.T) {
	files := map[string]string{"gateway/policy/a.go": policy}
	for i := range 9 {
		files[fmt.Sprintf("gateway/policy/b%d.go", i)] = lines("package policy\n", 120)
	}
	if got := problems(t, laid(t, files)); got != "" {
		t.Fatal(got)
	}
	for i := range 9 {
		files[fmt.Sprintf("gateway/policy/b%d.go", i)] = lines("package policy\n", 121)
	}
	want := "go.mod:1: the median file has 121 lines, of 120 allowed: split files by noun\n"
	if got := problems(t, laid(t, files)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A dot-folder's short functions must not make room for long ones in the product.
func TestThe95thPercentileIsTheProductsAlone(t *testing.T) {
	files := map[string]string{
		"gateway/policy/a.go": policy + small(10) + function("one", 41) + function("two", 41),
		".ci/tool/a.go":       "// Tool works.\npackage main\n" + small(200),
	}
	want := "go.mod:1: the 95th percentile of functions has 41 lines, of 40 allowed: make a function do one thing\n"
	if got := problems(t, laid(t, files)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	files["gateway/policy/a.go"] = policy + small(10) + function("one", 40) + function("two", 40)
	if got := problems(t, laid(t, files)); got != "" {
		t.Error(got)
	}
}

func TestThereAreAsManyLinesOfTestsAsOfCode(t *testing.T) {
	files := map[string]string{
		"gateway/policy/a.go":  lines(policy, 200),
		".ci/tool/a_test.go":   lines("package main\n", 300),
		"gateway/long_test.go": "package gateway\n",
	}
	all := clean(t)
	maps.Copy(all, files)
	code, tests := 0, 0
	for name, text := range all {
		switch {
		case strings.HasPrefix(name, ".") || !strings.HasSuffix(name, ".go") || strings.Contains(name, "testdata"):
		case strings.HasSuffix(name, "_test.go"):
			tests += strings.Count(text, "\n")
		default:
			code += strings.Count(text, "\n")
		}
	}
	want := fmt.Sprintf("go.mod:1: %d lines of tests for %d of code: write as many lines of tests, or delete code\n", tests, code)
	if got := problems(t, all); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	all["gateway/more_test.go"] = lines("package gateway\n", code-tests)
	if got := problems(t, all); got != "" {
		t.Error(got)
	}
}

func TestRankIsTheNearest(t *testing.T) {
	values := make([]int, 20)
	for i := range values {
		values[i] = 20 - i
	}
	for p, want := range map[int]int{1: 1, 50: 10, 95: 19, 96: 20, 100: 20} {
		if got := rank(values, p); got != want {
			t.Errorf("rank %d: got %d, want %d", p, got, want)
		}
	}
	if rank(nil, 95) != 0 {
		t.Error("nothing has a rank")
	}
}

// Scripts of the product are tests; those of a dot-folder, and files that are no scripts, are not.
func TestScriptsCountAsTests(t *testing.T) {
	files := clean(t)
	files["gateway/policy/big.go"] = lines(policy, 290)
	without := problems(t, files)
	if !strings.Contains(without, "lines of tests for") {
		t.Fatalf("too little code for this test: %s", without)
	}
	files[".ci/x/testdata/a.txtar"], files["gateway/policy/a.txtar"] = strings.Repeat("x\n", 900), strings.Repeat("x\n", 900)
	if got := problems(t, files); got != without {
		t.Errorf("counted: %s", got)
	}
	files["gateway/policy/testdata/a.txtar"] = strings.Repeat("x\n", 900)
	if got := problems(t, files); got != "" {
		t.Errorf("not counted: %s", got)
	}
}
