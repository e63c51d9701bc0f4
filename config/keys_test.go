package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadKeysReadsNamesAndHashes(t *testing.T) {
	sum := sha256.Sum256([]byte("sgn_secret"))
	path := filepath.Join(t.TempDir(), "keys")
	text := "# made by signet keys add\n\nalice:" + hex.EncodeToString(sum[:]) + "\r\n  bob_2:" + strings.Repeat("0F", 32) + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := ReadKeys(path)
	if err != nil || len(keys) != 2 || keys[0] != (Key{Name: "alice", Hash: sum}) || keys[1].Name != "bob_2" {
		t.Errorf("%+v, %v", keys, err)
	}
	if err := os.Chmod(path, 0o622); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKeys(path); !errors.Is(err, errWritable) {
		t.Errorf("a file that others may write: %v", err)
	}
	if _, err := ReadKeys(path + ".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestParseKeysRefusesWhatIsNoKey(t *testing.T) {
	good := strings.Repeat("ab", 32)
	for text, want := range map[string]string{
		"alice":                            "line 1: not name:sha256hex",
		"\nalice:abc":                      "line 2: not name:sha256hex",
		"alice:" + good + "ff":             "line 1: not name:sha256hex",
		"Alice:" + good:                    "line 1: not name:sha256hex",
		":" + good:                         "line 1: not name:sha256hex",
		"a:" + good + "\nb:" + good + "x":  "line 2: not name:sha256hex",
		"a:" + good + "\n\n#\na:" + good:   `line 4: key "a" stands twice`,
		"alice:sgn_secret-canary-in-clear": "line 1: not name:sha256hex",
	} {
		_, err := parseKeys([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestNamesArePathSegmentsThatClientsTake(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "0": true, "a-b_c9": true, strings.Repeat("a", 63): true,
		"": false, "-a": false, "_a": false, "A": false, "a.b": false, "a/b": false, "ä": false, "a b": false, strings.Repeat("a", 64): false,
	} {
		if IsName(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestFindTakesTheFirstThatIsNamed(t *testing.T) {
	dir := t.TempDir()
	xdg := filepath.Join(dir, "xdg/signet/signet.yaml")
	home := filepath.Join(dir, ".config/signet/signet.yaml")
	for _, path := range []string{xdg, home} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		environ []string
		want    string
	}{
		{[]string{"HOME=" + dir, "SIGNET_CONFIG=/named.yaml", "XDG_CONFIG_HOME=" + dir + "/xdg"}, "/named.yaml"},
		{[]string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir + "/xdg"}, xdg},
		{[]string{"HOME=" + dir, "XDG_CONFIG_HOME="}, home},
	} {
		if got, err := Find(test.environ); err != nil || got != test.want {
			t.Errorf("%v: %s, %v; want %s", test.environ, got, err, test.want)
		}
	}
	_, err := Find([]string{"HOME=" + dir + "/nobody"})
	if err == nil || !strings.Contains(err.Error(), "$SIGNET_CONFIG") || !strings.Contains(err.Error(), dir+"/nobody/.config/signet/signet.yaml") {
		t.Errorf("the paths tried: %v", err)
	}
}

func TestProblemIsAPlaceAKeyAndAHint(t *testing.T) {
	for want, p := range map[string]Problem{
		"f:4:5: a.b: what\n    hint": {File: "f", Line: 4, Column: 5, Key: "a.b", What: "what", Hint: "hint"},
		"f: what":                    {File: "f", What: "what"},
		"f:1:1: what":                {File: "f", Line: 1, Column: 1, What: "what"},
	} {
		if got := p.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	e := &Invalid{Problems: []Problem{{File: "f", What: "one"}, {File: "f", What: "two", Warning: true}, {File: "f", What: "three"}}}
	if e.Error() != "f: one\nf: three" {
		t.Errorf("%q", e.Error())
	}
}
