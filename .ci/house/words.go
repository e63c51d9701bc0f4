package main

import (
	"go/ast"
	"slices"
	"strings"
)

// checkWords refuses names that say nothing, and work left undone.
func (t *tree) checkWords(f *file) {
	t.checkPackageName(f)
	for _, group := range f.syntax.Comments {
		for _, c := range group.List {
			t.checkUndone(f, c)
		}
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if typ, ok := n.(*ast.TypeSpec); ok {
			if word := emptyWord(typ.Name.Name); word != "" {
				t.refuse(f.path, t.line(typ), "type "+typ.Name.Name+" ends in "+word, "name it for what it is")
			}
		}
		return true
	})
}

// checkPackageName looks at the package's name and at every directory above the file.
func (t *tree) checkPackageName(f *file) {
	names := append(strings.Split(f.dir, "/"), strings.TrimSuffix(f.syntax.Name.Name, "_test"))
	for _, name := range names {
		if slices.Contains([]string{"pkg", "util", "utils", "common", "types", "internal", "helper", "helpers"}, name) {
			t.refuse(f.path, t.line(f.syntax.Name), "a package named "+name, "name it for what it is")
			return
		}
	}
}

// emptyWord is the word at the end of a name that adds nothing to it, or empty.
func emptyWord(name string) string {
	for _, word := range []string{"Manager", "Helper", "Util", "Impl", "Base", "Data", "Info"} {
		if strings.HasSuffix(name, word) || name == strings.ToLower(word) {
			return word
		}
	}
	return ""
}

// checkUndone looks for the marks of work left for later; they are spelled in two parts so as not to be one.
func (t *tree) checkUndone(f *file, c *ast.Comment) {
	for i, line := range strings.Split(c.Text, "\n") {
		words := strings.FieldsFunc(line, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') })
		for _, mark := range []string{"TO" + "DO", "FIX" + "ME"} {
			if slices.Contains(words, mark) {
				t.refuse(f.path, t.line(c)+i, "a "+mark, "do it now, or write an issue")
			}
		}
	}
}
