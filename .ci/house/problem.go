package main

import (
	"cmp"
	"fmt"
	"slices"
)

// A problem is one thing that is against the rules, and what to do about it.
type problem struct {
	path string
	line int
	what string
	fix  string
}

// String is how a problem is printed.
func (p problem) String() string { return fmt.Sprintf("%s:%d: %s: %s", p.path, p.line, p.what, p.fix) }

// refuse notes a problem.
func (t *tree) refuse(path string, line int, what, fix string) {
	t.problems = append(t.problems, problem{path, line, what, fix})
}

// sorted is the problems in the order of files and lines.
func (t *tree) sorted() []problem {
	slices.SortFunc(t.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.line, b.line), cmp.Compare(a.what, b.what))
	})
	return t.problems
}
