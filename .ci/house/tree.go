package main

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// A tree is the Go files of a repository, and what is wrong with them.
type tree struct {
	root     string
	set      *token.FileSet
	files    []*file
	scripts  int // lines of tests that are scripts and bad files: testdata/*.txtar of the product
	problems []problem
}

// A file is one Go file.
type file struct {
	path   string // relative to the root, with slashes
	dir    string // its directory: the package's path in the module
	test   bool
	lines  int
	syntax *ast.File
}

// hidden reports whether a file is in a dot-folder: it holds the product to the rules, and is not the product.
func (f *file) hidden() bool { return strings.HasPrefix(f.dir, ".") && f.dir != "." }

// readTree reads every Go file that the go tool could build, in whatever directory it hides, and counts scripts.
func readTree(root string) (*tree, error) {
	t := &tree{root: root, set: token.NewFileSet()}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case entry.IsDir():
			return t.enter(rel, name)
		case strings.HasSuffix(rel, ".txtar"):
			return t.readScript(rel, name)
		case strings.HasSuffix(rel, ".go"):
			return t.readFile(rel, name)
		}
		return nil
	})
	return t, err
}

// enter decides whether a directory is part of the tree. A module of its own is one only in a dot-folder:
// elsewhere it would be a way around every rule.
func (t *tree) enter(rel, name string) error {
	if base := path.Base(rel); base == ".git" {
		return fs.SkipDir
	}
	if rel == "." || !exists(filepath.Join(name, "go.mod")) {
		return nil
	}
	if strings.HasPrefix(rel, ".") {
		return fs.SkipDir
	}
	t.refuse(rel+"/go.mod", 1, "a module of its own", "move it below .ci, or drop its go.mod")
	return nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// readScript counts what a test does and sees when it is written as a script or a bad file.
func (t *tree) readScript(rel, name string) error {
	text, err := os.ReadFile(name)
	if err == nil && !strings.HasPrefix(rel, ".") && strings.Contains(rel, "/testdata/") {
		t.scripts += bytes.Count(text, []byte("\n"))
	}
	return err
}

func (t *tree) readFile(rel, name string) error {
	if strings.Contains("/"+rel, "/testdata/") {
		return nil // not Go that anybody builds
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	syntax, err := parser.ParseFile(t.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	var bad scanner.ErrorList
	if errors.As(err, &bad) {
		t.refuse(rel, bad[0].Pos.Line, "does not parse", bad[0].Msg)
		return nil
	}
	if err != nil {
		return err
	}
	t.files = append(t.files, &file{
		path: rel, dir: path.Dir(rel), syntax: syntax,
		test: strings.HasSuffix(rel, "_test.go"), lines: bytes.Count(text, []byte("\n")),
	})
	return nil
}

// line is the line a node begins at.
func (t *tree) line(n ast.Node) int { return t.set.Position(n.Pos()).Line }
