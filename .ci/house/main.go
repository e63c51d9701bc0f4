// House holds a tree against the rules of the house: what stands where, who may import whom, how long files
// and functions may be, that every exported name is documented, and what has no place in it.
//
// Usage: go run ./.ci/house [DIR]. Without DIR it is the repository that the working directory is in. Each
// problem is printed as file:line: what is wrong, and how to put it right. It exits 1 if there is one.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run prints every problem of the tree that args name and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 1 {
		fmt.Fprintln(stderr, "usage: house [DIR]")
		return 2
	}
	root, err := rootOf(args)
	if err != nil {
		fmt.Fprintln(stderr, "house:", err)
		return 2
	}
	problems, err := inspect(root)
	if err != nil {
		fmt.Fprintln(stderr, "house:", err)
		return 2
	}
	for _, p := range problems {
		fmt.Fprintln(stdout, p)
	}
	if len(problems) > 0 {
		fmt.Fprintf(stderr, "house: %d problems\n", len(problems))
		return 1
	}
	return 0
}

// rootOf is the directory named by args, or the one at or above the working directory that holds go.mod.
func rootOf(args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for !exists(filepath.Join(dir, "go.mod")) {
		above := filepath.Dir(dir)
		if above == dir {
			return "", errors.New("no go.mod here or above: name the directory")
		}
		dir = above
	}
	return dir, nil
}

// inspect is every problem of the tree at root, in the order of files and lines.
func inspect(root string) ([]problem, error) {
	t, err := readTree(root)
	if err != nil {
		return nil, err
	}
	if err := t.checkTop(); err != nil {
		return nil, err
	}
	t.checkImports()
	t.checkBudgets()
	t.checkPackageComments()
	for _, f := range t.files {
		t.checkDocs(f)
		t.checkLevel(f)
		t.checkWords(f)
		t.checkTests(f)
	}
	return t.sorted(), nil
}
