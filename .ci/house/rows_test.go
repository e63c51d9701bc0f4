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

// witnesses are the helpers that hold a row to what every row is held to: another route waits for nothing meanwhile,
// one span tells of each call, nobody is told a secret, and nothing is left.
func witnesses() []string { return []string{"witnessed", "attended"} }

// unwitnessed are the tests of rows that need none of that, with why.
func unwitnessed() map[string]string {
	return map[string]string{
		"TestFault_F03_ABlackHoleOfANetworkOpensTheCircuit":                     "in a network of its own, as root; its sibling is witnessed",
		"TestFault_F06_ANetworkThatFallsSilentInsideAStreamIsFoundOut":          "in a network of its own, as root; its sibling is witnessed",
		"TestFault_F06_AConnectionFindsOutWithinThirtySecondsThatItsPeerIsGone": "of the options of one socket, without a call",
		"TestFault_L04_HeadersThatComeTooSlowlyEndTheConnection":                "of heads that never end, so without a call; another client is answered in it",
		"TestFault_P04_ACollectorThatHangsHoldsNobodyUp":                        "of the queue of spans alone, without a call",
		"TestFault_P04_ACollectorThatHangsWouldBeNoticed":                       "of the SDK's queue, as a control",
		"TestFault_P04_CallsAreAnsweredWhileTheCollectorHangs":                  "of a daemon in the test's own process; its sibling is a process of its own",
		"TestFault_P04_LogRecordsHoldNobodyUpEither":                            "of the queue of log records alone, without a call",
		"TestFault_P04_NoSpanIsMadeThatWouldBeDropped":                          "of the queue of spans alone, without a call",
		"TestFault_P04_WhateverACollectorDoesTheProgramEnds":                    "of the end of exports alone, without a call",
		"TestFault_P10_AHundredHangupsAndAHundredAskersAreOneAfterTheOther":     "of the order of reloads alone; its sibling in gateway is witnessed",
		"TestFault_P12_APortInTimeWaitIsServedOnAgain":                          "of listeners alone, without a call",
		"TestFault_P01_TroubleWithConnectionsIsToldOnceASecond":                 "of what net/http logs, without a call",
		"TestFault_P02_LinesThatWereLostAreToldOnceLinesCanBeWritten":           "of a logger alone, without a call",
		"TestFault_P07_AnEditOfTheKeysThatWasKilledStopsNoOther":                "of the keys file, without a gateway",
		"TestFault_P12_AnAddressThatTheMachineLacksIsSaid":                      "of listeners alone, without a call",
	}
}

// missed are the tests of the rows F, L and P that no witness attends, and those that are excused for nothing. A test
// is attended when it calls a witness or a function of its package's tests that is.
func missed(t *testing.T, root string, excused map[string]string) (problems []string) {
	t.Helper()
	tree, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string][]string{} // by directory and name, what a function of the tests calls
	for _, f := range tree.files {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.test && fn.Recv == nil && fn.Body != nil {
				ast.Inspect(fn.Body, func(n ast.Node) bool {
					if call, ok := n.(*ast.CallExpr); ok {
						if name, ok := call.Fun.(*ast.Ident); ok {
							calls[f.dir+" "+fn.Name.Name] = append(calls[f.dir+" "+fn.Name.Name], name.Name)
						}
					}
					return true
				})
				calls[f.dir+" "+fn.Name.Name] = append(calls[f.dir+" "+fn.Name.Name], "")
			}
		}
	}
	for of := range calls {
		dir, name, _ := strings.Cut(of, " ")
		if !regexp.MustCompile(`^TestFault_[FLP]\d\d_`).MatchString(name) {
			continue
		}
		_, free := excused[name]
		if is := attended(calls, dir, name, map[string]bool{}); is == free {
			problems = append(problems, fmt.Sprintf("%s: attended by a witness: %v, excused: %v", name, is, free))
		}
	}
	slices.Sort(problems)
	return problems
}

// attended reports whether a function calls a witness, by way of others of its directory.
func attended(calls map[string][]string, dir, name string, seen map[string]bool) bool {
	if slices.Contains(witnesses(), name) {
		return true
	}
	if seen[name] {
		return false
	}
	seen[name] = true
	return slices.ContainsFunc(calls[dir+" "+name], func(next string) bool { return attended(calls, dir, next, seen) })
}

func TestEachTestOfARowHasAWitness(t *testing.T) {
	for _, problem := range missed(t, "../..", unwitnessed()) {
		t.Error(problem)
	}
}

func TestARowWithoutAWitnessIsMissed(t *testing.T) {
	root := write(t, map[string]string{"a_test.go": `package a

func TestFault_F01_Direct() { witnessed() }

func TestFault_L01_ByWayOfAnother() { helper() }

func TestFault_P01_None() { other(); t.witnessed() }

func TestFault_P02_Excused() {}

func TestFault_P03_ExcusedForNothing() { witnessed() }

func TestFault_C01_OfAnotherTable() {}

func helper() { func() { attended() }() }

func other() { other() }
`})
	got := missed(t, root, map[string]string{"TestFault_P02_Excused": "x", "TestFault_P03_ExcusedForNothing": "x"})
	want := []string{"TestFault_P01_None: attended by a witness: false, excused: false", "TestFault_P03_ExcusedForNothing: attended by a witness: true, excused: true"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
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
