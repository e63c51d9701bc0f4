package main

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
)

// checkTests refuses tests that sleep, and tests that are skipped without a word.
func (t *tree) checkTests(f *file) {
	if !f.test {
		return
	}
	clock, testers := localName(f, "time"), testerNames(f)
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, name := selector(n); x == clock && name == "Sleep" {
				t.refuse(f.path, t.line(n), "a test that sleeps", "use testing/synctest for clocks, a channel for events")
			}
		case *ast.CallExpr:
			if x, name := selector(n.Fun); slices.Contains(testers, x) && skips(name, n.Args) {
				t.refuse(f.path, t.line(n), "a test skipped without a reason", "say in a string why, or delete the test")
			}
		}
		return true
	})
}

// skips reports whether a call of a method of testing.T skips and does not say why.
func skips(method string, args []ast.Expr) bool {
	switch method {
	case "SkipNow":
		return true
	case "Skip", "Skipf":
		return len(args) == 0 || blank(args[0])
	}
	return false
}

func blank(e ast.Expr) bool {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return false
	}
	text, err := strconv.Unquote(literal.Value)
	return err == nil && text == ""
}

// localName is the name that a file uses for a package of the standard library, empty if it imports it not.
func localName(f *file, pkg string) string {
	for _, spec := range f.syntax.Imports {
		if name, err := strconv.Unquote(spec.Path.Value); err != nil || name != pkg {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(pkg)
	}
	return ""
}

// testerNames is the names of a file's parameters that are testing's T, B, F or TB.
func testerNames(f *file) []string {
	var names []string
	pkg := localName(f, "testing")
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		field, ok := n.(*ast.Field)
		if !ok {
			return true
		}
		typ := field.Type
		if star, ok := typ.(*ast.StarExpr); ok {
			typ = star.X
		}
		if x, name := selector(typ); x == pkg && slices.Contains([]string{"T", "B", "F", "TB"}, name) {
			for _, id := range field.Names {
				names = append(names, id.Name)
			}
		}
		return true
	})
	return names
}
