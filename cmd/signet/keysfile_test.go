package main

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signet/config"
)

func newKeysFile(t *testing.T, text string) keysFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return keysFile(path)
}

func TestAddedKeyIsTheHashOfItsSecretAndReadByTheGateway(t *testing.T) {
	f := keysFile(filepath.Join(t.TempDir(), "new", "keys"))
	if err := f.add("laptop", "s3cret"); err != nil {
		t.Fatal(err)
	}
	keys, err := config.ReadKeys(string(f))
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 1 || keys[0].Name != "laptop" || keys[0].Hash != sha256.Sum256([]byte("s3cret")) {
		t.Errorf("keys %+v", keys)
	}
	if info, err := os.Stat(string(f)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want mode 0600", info, err)
	}
}

func TestEditKeepsWhatElseIsInTheFile(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	f := newKeysFile(t, "# the team's\nphone:"+hash+"\nlaptop:"+hash+"\n")
	if err := f.revoke("phone"); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(string(f)); string(text) != "# the team's\nlaptop:"+hash+"\n" {
		t.Errorf("file is now %q", text)
	}
}

func TestLinkedKeysFileStaysALink(t *testing.T) {
	f := newKeysFile(t, "")
	link := filepath.Join(t.TempDir(), "keys")
	if err := os.Symlink(string(f), link); err != nil {
		t.Skip(err)
	}
	if err := keysFile(link).add("laptop", "s"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("%v, %v; want the link as it was", info, err)
	}
	if text, _ := os.ReadFile(string(f)); !strings.HasPrefix(string(text), "laptop:") {
		t.Errorf("the file behind it is %q", text)
	}
}

func TestFailedEditLeavesNothingBehind(t *testing.T) {
	f := newKeysFile(t, "")
	if err := f.revoke("nobody"); err == nil {
		t.Fatal("a key that is not there was revoked")
	}
	if _, err := os.Stat(string(f) + ".new"); err == nil {
		t.Error("the unfinished file is still there")
	}
}

func TestKeyNamesAreThoseOfRoutes(t *testing.T) {
	for name, good := range map[string]bool{
		"laptop": true, "a": true, "team-1_b": true, "0": true, strings.Repeat("a", 63): true,
		"": false, "-a": false, "_a": false, "A": false, "a:b": false, "a b": false, "é": false, strings.Repeat("a", 64): false,
	} {
		if isKeyName(name) != good {
			t.Errorf("name %q: allowed is %v, want %v", name, !good, good)
		}
	}
}

func TestSecretsAreLongAndNeverTheSame(t *testing.T) {
	a, b := newSecret(), newSecret()
	if a == b || len(a) != len("signet_")+43 || !strings.HasPrefix(a, "signet_") {
		t.Errorf("secrets %q and %q", a, b)
	}
}
