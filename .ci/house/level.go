package main

import (
	"go/ast"
	"go/token"
	"strings"
)

// checkLevel refuses what runs or changes at package level: init, and variables other than sentinel errors,
// interface guards and embeds.
func (t *tree) checkLevel(f *file) {
	for _, d := range f.syntax.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.Name == "init" && d.Recv == nil {
				t.refuse(f.path, t.line(d), "an init function", "make what it makes where it is used")
			}
		case *ast.GenDecl:
			if d.Tok == token.VAR && (d.Lparen.IsValid() || !embeds(d.Doc)) {
				t.checkVars(f, d)
			}
		}
	}
}

func (t *tree) checkVars(f *file, d *ast.GenDecl) {
	for _, s := range d.Specs {
		spec, ok := s.(*ast.ValueSpec)
		if !ok || embeds(spec.Doc) {
			continue
		}
		for i, name := range spec.Names {
			switch {
			case name.Name == "_" && spec.Type != nil:
			case i < len(spec.Values) && sentinel(spec.Values[i]):
			default:
				t.refuse(f.path, t.line(name), "package variable "+name.Name, "pass it, or keep it in a struct; only sentinel errors, interface guards and embeds may stay")
			}
		}
	}
}

func embeds(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if strings.HasPrefix(c.Text, "//go:embed ") {
			return true
		}
	}
	return false
}

// sentinel reports whether a value is errors.New(...) or fmt.Errorf(...).
func sentinel(value ast.Expr) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return false
	}
	switch pkg, name := selector(call.Fun); pkg + "." + name {
	case "errors.New", "fmt.Errorf":
		return true
	}
	return false
}

// selector is the two names of x.name, both empty for anything else.
func selector(e ast.Expr) (x, name string) {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	return id.Name, sel.Sel.Name
}
