package main

import "testing"

func TestARoomIsADirectoryAndAPageAFile(t *testing.T) {
	for name, dir := range map[string]bool{
		"cmd": true, "gateway": true, "config": true, "examples": true,
		"go.mod": false, "go.sum": false, "README.md": false, "CHANGELOG.md": false,
	} {
		if !atTop(name, dir) {
			t.Errorf("%s is refused", name)
		}
		if atTop(name, !dir) {
			t.Errorf("%s is taken for the other kind", name)
		}
	}
}
