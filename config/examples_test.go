package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// examples are the configs of ../examples. In a directory of its own one stands among the files of other programs.
func examples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../examples/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	more, err := filepath.Glob("../examples/*/signet.yaml")
	if err != nil || len(more) == 0 {
		t.Fatalf("%d examples with a directory, %v", len(more), err)
	}
	return append(files, more...)
}

func TestEveryExampleIsAConfig(t *testing.T) {
	for _, file := range examples(t) {
		schema := "signet.schema.json"
		if filepath.Base(filepath.Dir(file)) != "examples" {
			schema = "../" + schema
		}
		cfg, err := Load(file, Options{Environ: []string{"HOME=" + t.TempDir()}})
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if len(cfg.Warnings) > 0 {
			t.Errorf("%s: %v", file, cfg.Warnings)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if line, _, _ := bytes.Cut(text, []byte("\n")); string(line) != "# yaml-language-server: $schema="+schema {
			t.Errorf("%s begins with %q: editors look for the schema there", file, line)
		}
	}
}

// The reference states every key's default. Were one to change, this would fail.
func TestTheReferenceSaysTheDefaults(t *testing.T) {
	home := "HOME=" + t.TempDir()
	reference, err := Load("../examples/reference.yaml", Options{Environ: []string{home}})
	if err != nil {
		t.Fatal(err)
	}
	minimal, err := Load("../examples/minimal.yaml", Options{Environ: []string{home}})
	if err != nil {
		t.Fatal(err)
	}
	r := reference.Routes["aws"]
	r.Profile, r.Headers = "dev", nil
	if !reflect.DeepEqual(r, minimal.Routes["aws"]) {
		t.Errorf("a route's defaults are\n%+v\nthe reference says\n%+v", minimal.Routes["aws"], r)
	}
	for _, c := range []*Config{reference, minimal} {
		c.Routes, c.Path, c.Files, c.Hash, c.Warnings = nil, "", nil, "", nil
		c.Include, c.Auth.AllowedHosts, c.Auth.AllowedOrigins = nil, nil, nil
	}
	if !reflect.DeepEqual(reference, minimal) {
		t.Errorf("the defaults are\n%+v\nthe reference says\n%+v", minimal, reference)
	}
	text, err := os.ReadFile("../examples/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(scalarsAt(""), scalarsAt("defaults")...) {
		key := path[strings.LastIndexByte(path, '/')+1:]
		if !bytes.Contains(text, []byte(key+":")) {
			t.Errorf("%s is not in the reference", path)
		}
	}
}

func TestTheSchemaOfTheExamplesIsThatOfTheProgram(t *testing.T) {
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	const path = "../examples/signet.schema.json"
	if updating() {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what signet schema prints (%v): go test ./config -update", path, err)
	}
}

func TestTheSchemaExplainsEveryKey(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, node map[string]any) int
	walk = func(path string, node map[string]any) (keys int) {
		properties, _ := node["properties"].(map[string]any)
		for key, inner := range properties {
			inner := inner.(map[string]any)
			described, _ := inner["description"].(string)
			if described == "" && key != "key_file" {
				t.Errorf("%s/%s has no description", path, key)
			}
			keys += 1 + walk(path+"/"+key, inner)
		}
		if extra, ok := node["additionalProperties"].(map[string]any); ok {
			keys += walk(path+"/*", extra)
		}
		return keys
	}
	if keys := walk("", schema); keys < 60 {
		t.Errorf("only %d keys", keys)
	}
	if schema["additionalProperties"] != false {
		t.Error("an editor would let unknown keys pass")
	}
}
