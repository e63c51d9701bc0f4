package main

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is the path that ours begin with.
const module = "signet/"

// checkImports holds every import against the table.
func (t *tree) checkImports() {
	for _, f := range t.files {
		if f.dir == "." {
			continue // checkTop has said it
		}
		r, known := ruleFor(f.dir)
		if !known {
			t.refuse(f.path, 1, fmt.Sprintf("package %s is not in the house", f.dir), "move its code where it belongs, or give it a row in the table")
			continue
		}
		for _, spec := range f.syntax.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err == nil && !r.allows(f, name) {
				t.refuse(f.path, t.line(spec), fmt.Sprintf("%s may not import %s", f.dir, name), r.mayImport(f))
			}
		}
	}
}

// allows reports whether a file of the rule's package may import name. Tests may use the sandbox and what
// third parties they like.
func (r rule) allows(f *file, name string) bool {
	if ours, own := strings.CutPrefix(name, module); own {
		return ours == f.dir || slices.Contains(r.oursFor(f), ours)
	}
	switch {
	case f.test:
		return true
	case standard(name):
		return !matches(r.never, name)
	}
	return matches(r.others, name)
}

func (r rule) oursFor(f *file) []string {
	if f.test && !f.hidden() {
		return slices.Concat(r.ours, r.tests, []string{"gateway/sandbox"})
	}
	return r.ours
}

// mayImport says what a file may import instead.
func (r rule) mayImport(f *file) string {
	ours, others := "nothing", "nothing"
	if names := r.oursFor(f); len(names) > 0 {
		ours = strings.Join(names, ", ")
	}
	if f.test {
		return "a test may import of ours " + ours
	}
	if len(r.others) > 0 {
		others = strings.Join(r.others, ", ")
	}
	return fmt.Sprintf("it may import of ours %s, of others %s", ours, others)
}

// standard reports whether a package is the standard library's: its first element has no dot.
func standard(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return !strings.Contains(first, ".")
}

// matches reports whether one of the patterns is name or, if it ends in /..., a path above it.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		below, all := strings.CutSuffix(pattern, "/...")
		return name == below || all && strings.HasPrefix(name, below+"/")
	})
}

// ruleFor is the row of a package. Programs in dot-folders have only the standard library.
func ruleFor(dir string) (rule, bool) {
	if strings.HasPrefix(dir, ".") {
		return rule{}, true
	}
	r, known := table()[path.Clean(dir)]
	return r, known
}
