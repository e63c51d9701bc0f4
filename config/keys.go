package config

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// ReadKeys reads a key file: one "name:sha256hex" a line, empty lines and lines that begin with # left out.
// A file that is not there is fs.ErrNotExist; one that others may write is refused.
func ReadKeys(path string) ([]Key, error) {
	content, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return parseKeys(content)
}

func parseKeys(content []byte) ([]Key, error) {
	var keys []Key
	taken := map[string]bool{}
	for i, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, text, _ := strings.Cut(line, ":")
		hash, err := hex.DecodeString(text)
		if err != nil || len(hash) != 32 || !IsName(name) {
			return nil, fmt.Errorf("line %d: not name:sha256hex; signet keys add makes such lines", i+1)
		}
		if taken[name] {
			return nil, fmt.Errorf("line %d: key %q stands twice", i+1, name)
		}
		taken[name] = true
		keys = append(keys, Key{Name: name, Hash: [32]byte(hash)})
	}
	return keys, nil
}

// IsName reports whether s may name a route or a key: [a-z0-9][a-z0-9_-]{0,62}.
func IsName(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[0] == '_' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
