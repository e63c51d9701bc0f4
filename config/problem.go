package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Problem is one thing wrong with a config, where it stands and what to do about it. It never holds a
// value that came from the environment or a file of secrets.
type Problem struct {
	// File, Line and Column are where it stands. Line 0: in no line of a file, but in what File names.
	File         string
	Line, Column int

	// Key is the path of the key, by dots. Empty: it is about the whole file.
	Key string

	// What is wrong, and Hint what to do. Hint may be empty.
	What, Hint string

	// Warning says that it does not keep the config from serving.
	Warning bool
}

// String is "file:line:col: key: what", and the hint on a line of its own.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.What)
	if p.Hint != "" {
		b.WriteString("\n    " + p.Hint)
	}
	return b.String()
}

// Invalid is the error of a config with problems.
type Invalid struct {
	// Problems are all of them, warnings included, by place.
	Problems []Problem
}

// Error is the problems that are errors, a line or two each.
func (e *Invalid) Error() string {
	var lines []string
	for _, p := range e.Problems {
		if !p.Warning {
			lines = append(lines, p.String())
		}
	}
	return strings.Join(lines, "\n")
}

// sortProblems orders problems by place: files as they were read, then lines. The schema's findings come in no
// order of their own.
func sortProblems(problems []Problem, files []string) {
	order := map[string]int{}
	for i, file := range files {
		order[file] = i + 1
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Key, b.Key),
		)
	})
}
