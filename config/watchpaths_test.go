package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// makeFile writes a file, and the directories it needs.
func makeFile(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// tree makes directories (names ending in /), symlinks (name -> target) and empty files below a directory.
func tree(t *testing.T, links map[string]string, names ...string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		dir, file := filepath.Split(filepath.Join(root, name))
		if strings.HasSuffix(name, "/") {
			dir, file = filepath.Join(root, name), ""
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if file != "" {
			overwrite(t, filepath.Join(dir, file), "")
		}
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestWatchedDirectoriesAreThoseOfEverySymlinkAndOfTheEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		links map[string]string
		made  []string
		path  string
		want  []string
	}{
		{"a file", nil, []string{"etc/a"}, "etc/a", []string{"etc"}},
		{"an absent file", nil, []string{"etc/"}, "etc/a", []string{"etc"}},
		{"an absent directory", nil, []string{"etc/"}, "etc/x/y/a", []string{"etc"}},
		{"a file where a directory should be", nil, []string{"etc/x"}, "etc/x/a", []string{"etc"}},
		{"a link", map[string]string{"etc/a": "../real/b"}, []string{"etc/", "real/b"}, "etc/a", []string{"etc", "real"}},
		{"a link of a link", map[string]string{"etc/a": "b", "etc/b": "../real/c"}, []string{"etc/", "real/c"}, "etc/a", []string{"etc", "real"}},
		{"a linked directory", map[string]string{"etc": "sys/etc"}, []string{"sys/etc/a"}, "etc/a", []string{".", "sys/etc"}},
		{"a ConfigMap", map[string]string{"m/a": "..data/a", "m/..data": "..1"}, []string{"m/..1/a"}, "m/a", []string{"m", "m/..1"}},
		{"a dangling link", map[string]string{"etc/a": "../gone/b"}, []string{"etc/"}, "etc/a", []string{".", "etc"}},
		{"a ring of links", map[string]string{"etc/a": "b", "etc/b": "a"}, []string{"etc/"}, "etc/a", []string{"etc"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := tree(t, tt.links, tt.made...)
			var got []string
			for dir := range hops([]string{filepath.Join(root, tt.path)}) {
				name, err := filepath.Rel(root, dir)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, name)
			}
			if slices.Sort(got); !slices.Equal(got, tt.want) {
				t.Errorf("directories %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWatchedDirectoriesOfARelativePathAreAbsolute(t *testing.T) {
	root := tree(t, nil, "etc/a")
	t.Chdir(root)
	got := slices.Collect(maps.Keys(hops([]string{"etc/a"})))
	if want := []string{filepath.Join(root, "etc")}; !slices.Equal(got, want) {
		t.Errorf("directories %q, want %q", got, want)
	}
}

func TestWatchedContentsDifferByEveryByteAndByWhatIsThere(t *testing.T) {
	t.Parallel()
	root := tree(t, nil, "dir/")
	a, b := filepath.Join(root, "a"), filepath.Join(root, "b")
	seen := map[string]string{}
	note := func(what string, files ...string) {
		contents := fingerprint(files)
		if before, twice := seen[contents]; twice {
			t.Errorf("%s looks like %s", what, before)
		}
		seen[contents] = what
	}
	note("no file named")
	note("an absent file", a)
	note("a directory", root)
	overwrite(t, a, "")
	note("an empty file", a)
	overwrite(t, a, "x\n")
	note("a file", a)
	overwrite(t, a, "y\n")
	note("one of the same size", a)
	overwrite(t, b, "x\n")
	note("two files", a, b)
	overwrite(t, a, "x\n")
	overwrite(t, b, "y\n")
	note("two files that changed places", a, b)
}

func TestWatchedContentsTakeNothingFromAPipe(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no /dev/fd")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := w.WriteString("config"); err != nil {
		t.Fatal(err)
	}
	fingerprint([]string{fmt.Sprintf("/dev/fd/%d", r.Fd())})
	_ = w.Close()
	got := make([]byte, 6)
	if n, err := r.Read(got); n != 6 || err != nil {
		t.Errorf("%d bytes left in the pipe, %v", n, err)
	}
}
