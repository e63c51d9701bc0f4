package main

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
)

// checkDocs wants a comment on every exported name that ships.
func (t *tree) checkDocs(f *file) {
	if f.test {
		return
	}
	for _, d := range f.syntax.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
				t.undocumented(f, d.Name, d.Name.Name)
			}
		case *ast.GenDecl:
			t.checkGroup(f, d)
		}
	}
}

func (t *tree) undocumented(f *file, at ast.Node, name string) {
	t.refuse(f.path, t.line(at), name+" is exported and has no comment", "say what a caller may rely on")
}

// exportedReceiver reports whether a function is no method, or an exported type's.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.ParenExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

// checkGroup looks at a declaration of types, constants or variables. A comment on a group of constants or
// variables is one on each; a type needs its own.
func (t *tree) checkGroup(f *file, d *ast.GenDecl) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if !s.Name.IsExported() {
				continue
			}
			if s.Doc == nil && (d.Doc == nil || d.Lparen.IsValid()) {
				t.undocumented(f, s.Name, s.Name.Name)
			}
			t.checkMembers(f, s)
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					t.undocumented(f, name, name.Name)
				}
			}
		}
	}
}

// checkMembers wants a comment on each exported field of a struct and method of an interface. That of the
// line above in the same block will do, and the type's own for what stands on its line.
func (t *tree) checkMembers(f *file, s *ast.TypeSpec) {
	var members []*ast.Field
	switch typ := s.Type.(type) {
	case *ast.StructType:
		members = typ.Fields.List
	case *ast.InterfaceType:
		members = typ.Methods.List
	}
	covered := t.line(s) // the last line that a comment speaks for
	for _, m := range members {
		line := t.line(m)
		below := line == covered+1 && line > t.line(s)+1
		if m.Doc != nil || m.Comment != nil || line == covered || below {
			covered = t.set.Position(m.End()).Line
			continue
		}
		for _, name := range m.Names {
			if name.IsExported() {
				t.undocumented(f, name, fmt.Sprintf("%s.%s", s.Name.Name, name.Name))
			}
		}
	}
}

// checkPackageComments wants exactly one file of each package to say what it is for.
func (t *tree) checkPackageComments() {
	first, comments := map[string]*file{}, map[string]int{}
	for _, f := range t.files {
		if f.test {
			continue
		}
		if first[f.dir] == nil {
			first[f.dir] = f
		}
		if f.syntax.Doc != nil {
			comments[f.dir]++
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(first)) {
		if n := comments[dir]; n != 1 {
			f := first[dir]
			t.refuse(f.path, t.line(f.syntax.Name), fmt.Sprintf("package %s has %d package comments", f.syntax.Name.Name, n), "say in one file what it is for")
		}
	}
}
