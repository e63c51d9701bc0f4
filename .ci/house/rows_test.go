package main

import (
	"fmt"
	"go/ast"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rows are the faults, of upstreams (F), credentials (C), the config (K), clients (L) and the process (P), and the
// pitfalls that are promised a test each, which has the row in its name.
func rows() []string {
	var all []string
	for _, span := range []struct {
		form        string
		first, last int
	}{
		{"F%02d", 1, 22}, {"C%02d", 1, 15}, {"K%02d", 1, 15}, {"L%02d", 1, 8}, {"P%02d", 1, 12},
		{"Pitfall%02d", 1, 20}, {"Pitfall%02d", 25, 37},
	} {
		for n := span.first; n <= span.last; n++ {
			all = append(all, fmt.Sprintf(span.form, n))
		}
	}
	return all
}

// rowsOf are the rows that a test's name says it is of: TestFault_C06_Pitfall10_... is of two.
func rowsOf(test string) []string {
	var found []string
	for part := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(test, "TestFault_"), "Test"), "_") {
		if !regexp.MustCompile(`^([CFKLP]|Pitfall)\d\d$`).MatchString(part) {
			break
		}
		found = append(found, part)
	}
	return found
}

// tested are the rows that some test of the tree at root is of.
func tested(t *testing.T, root string) map[string]bool {
	t.Helper()
	tree, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, f := range tree.files {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.test && strings.HasPrefix(fn.Name.Name, "Test") {
				for _, row := range rowsOf(fn.Name.Name) {
					found[row] = true
				}
			}
		}
	}
	return found
}

func TestEachRowHasATestOfItsName(t *testing.T) {
	found := tested(t, "../..")
	for _, row := range rows() {
		if !found[row] {
			t.Errorf("no test is named for row %s", row)
		}
	}
}

func TestRowsAreReadFromTheNamesOfTests(t *testing.T) {
	for name, want := range map[string]string{
		"TestFault_C06_Pitfall10_ProcessIsEnded": "C06 Pitfall10", "TestPitfall03_TwentyMinutes": "Pitfall03",
		"TestFault_K01_C": "K01", "TestC01": "C01", "TestFaultsOfC01": "", "TestFault_C1_X": "", "TestGet_C01": "",
	} {
		if got := strings.Join(rowsOf(name), " "); got != want {
			t.Errorf("%s is of %q, want %q", name, got, want)
		}
	}
	root := write(t, map[string]string{
		"a_test.go": "package a\n\nfunc TestFault_C01_X() {}\n\nfunc helperC02() {}\n", "a.go": "package a\n\nfunc TestFault_C03_X() {}\n",
	})
	if got := slices.Collect(maps.Keys(tested(t, root))); len(got) != 1 || got[0] != "C01" {
		t.Errorf("%v", got)
	}
}
