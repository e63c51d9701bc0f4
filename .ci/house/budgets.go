package main

import (
	"fmt"
	"go/ast"
	"slices"
)

// The budgets, in lines.
const (
	medianFile     = 120
	longestFile    = 300
	longestTest    = 500
	p95Function    = 40
	longestOfFuncs = 70
)

// checkBudgets holds lengths against the budgets. Each file and function counts for itself, wherever it is;
// the median, the percentile and the share of tests are the product's alone.
func (t *tree) checkBudgets() {
	var files, functions []int
	code, tests := 0, t.scripts
	for _, f := range t.files {
		t.checkLength(f)
		lengths := t.functions(f)
		switch {
		case f.hidden():
		case f.test:
			tests += f.lines
		default:
			code += f.lines
			files = append(files, f.lines)
			functions = append(functions, lengths...)
		}
	}
	if n := rank(files, 50); n > medianFile {
		t.refuse("go.mod", 1, fmt.Sprintf("the median file has %d lines, of %d allowed", n, medianFile), "split files by noun")
	}
	if n := rank(functions, 95); n > p95Function {
		t.refuse("go.mod", 1, fmt.Sprintf("the 95th percentile of functions has %d lines, of %d allowed", n, p95Function), "make a function do one thing")
	}
	if tests < code {
		t.refuse("go.mod", 1, fmt.Sprintf("%d lines of tests for %d of code", tests, code), "write as many lines of tests, or delete code")
	}
}

func (t *tree) checkLength(f *file) {
	limit := longestFile
	if f.test {
		limit = longestTest
	}
	if f.lines > limit {
		t.refuse(f.path, limit+1, fmt.Sprintf("%d lines, of %d allowed", f.lines, limit), "split the file by noun")
	}
}

// functions is the lengths of a file's functions.
func (t *tree) functions(f *file) []int {
	var lengths []int
	for _, d := range f.syntax.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		n := t.set.Position(fn.End()).Line - t.line(fn) + 1
		lengths = append(lengths, n)
		if n > longestOfFuncs {
			t.refuse(f.path, t.line(fn), fmt.Sprintf("%s has %d lines, of %d allowed", fn.Name.Name, n, longestOfFuncs), "split it at the height it works at")
		}
	}
	return lengths
}

// rank is the nearest-rank pth percentile, 0 of nothing.
func rank(values []int, p int) int {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[(len(values)*p+99)/100-1]
}
