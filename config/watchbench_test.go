package config

import (
	"fmt"
	"path/filepath"
	"testing"
)

// threeHundred are paths as AWS's files are: a few that exist, most in directories that are not there.
func threeHundred(tb testing.TB) []string {
	dir := tb.TempDir()
	var files []string
	for i := range 300 {
		name := fmt.Sprintf("home/user/.aws/%s/cache/%040x.json", []string{"sso", "cli", "login"}[i%3], i)
		path := filepath.Join(dir, name)
		files = append(files, path)
		if i%20 == 0 {
			makeFile(tb, path, fmt.Sprintf("{%01000d}", i))
		}
	}
	return files
}

// A look is what the watch does each 2 s, and at most every 20 ms while a directory is busy.
func BenchmarkLookAtThreeHundredFiles(b *testing.B) {
	files := threeHundred(b)
	w := newFileWatch(func() []string { return files }, WatchOptions{})
	w.settled = func(string) bool { return true }
	w.begin()
	defer func() { _ = w.events.Close() }()
	b.ReportAllocs()
	for b.Loop() {
		w.arm()
		fingerprint(files)
	}
}
