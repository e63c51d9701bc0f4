package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write what is printed into the golden files")
	os.Exit(m.Run())
}

// updating reports whether golden files are to be written.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// unpack writes a txtar's files into a new directory, and returns the directory and what its file environ
// sets.
func unpack(t *testing.T, archive *txtar.Archive) (dir string, environ []string) {
	t.Helper()
	dir = t.TempDir()
	environ = []string{"HOME=" + dir}
	for _, f := range archive.Files {
		switch f.Name {
		case "problems":
			continue
		case "environ":
			environ = append(environ, strings.Fields(string(f.Data))...)
			continue
		}
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, environ
}

// Row K03: each file of testdata/bad is one mistake, and the exact words about it. A profile that there is not
// is none of them: it is that route's own error, and a warning here.
func TestFault_K03_BadFilesSayWhatIsWrongAndWhere(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir, environ := unpack(t, archive)
			cfg, err := Load(filepath.Join(dir, "signet.yaml"), Options{Environ: environ})
			if err == nil {
				t.Fatalf("it was accepted: %+v", cfg)
			}
			got := strings.ReplaceAll(err.Error()+"\n", dir+"/", "")
			if strings.Contains(got, "canary") || strings.Contains(got, "hunter2") {
				t.Errorf("a secret is in\n%s", got)
			}
			compare(t, file, archive, got)
		})
	}
}

// compare holds got against the file "problems" of an archive, or with -update writes it there.
func compare(t *testing.T, path string, archive *txtar.Archive, got string) {
	t.Helper()
	for i, f := range archive.Files {
		if f.Name == "problems" {
			if updating() {
				archive.Files[i].Data = []byte(got)
				break
			}
			if string(f.Data) != got {
				t.Errorf("got\n%swant\n%s", got, f.Data)
			}
			return
		}
	}
	if !updating() {
		t.Fatal("no file problems in it: run with -update")
	}
	if archive.Files[len(archive.Files)-1].Name != "problems" {
		archive.Files = append(archive.Files, txtar.File{Name: "problems", Data: []byte(got)})
	}
	if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}
