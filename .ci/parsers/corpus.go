package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// load is the corpus: testdata/bodies, and what the fuzzer kept.
func load() ([]body, error) {
	files, err := filepath.Glob(filepath.Join(corpus, "bodies", "*.txtar"))
	if err != nil {
		return nil, err
	}
	var bodies []body
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			return nil, err
		}
		text := strings.TrimSuffix(string(archive.Files[0].Data), "\n")
		if archive.Files[0].Name == "quoted" {
			if text, err = strconv.Unquote(text); err != nil {
				return nil, err
			}
		}
		name := filepath.Base(file)
		bodies = append(bodies, body{name, strings.HasPrefix(name, "good_"), []byte(text)})
	}
	kept, err := filepath.Glob(filepath.Join(corpus, "fuzz", "FuzzRead", "*"))
	if err != nil {
		return nil, err
	}
	for _, file := range kept {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		_, value, _ := strings.Cut(string(text), "[]byte(")
		if value, err = strconv.Unquote(strings.TrimSuffix(strings.TrimSpace(value), ")")); err != nil {
			return nil, err
		}
		bodies = append(bodies, body{filepath.Base(file), false, []byte(value)})
	}
	return bodies, nil
}
