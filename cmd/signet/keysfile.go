package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"signet/config"
)

// A keysFile is the path of the file that holds the hashes of the gateway's keys. A gateway that runs
// notices every change of it.
type keysFile string

// keysFileOf is the one a config names.
func keysFileOf(cfg *config.Config, env environ) keysFile {
	return keysFile(config.ExpandHome(cfg.Auth.KeysFile, env))
}

// exists reports whether the file is there. One that cannot be looked at is.
func (f keysFile) exists() bool {
	_, err := os.Stat(string(f))
	return !errors.Is(err, fs.ErrNotExist)
}

// add stores the hash of secret under a name that is not taken.
func (f keysFile) add(name, secret string) error {
	if !isKeyName(name) {
		return &exit{exitUsage, fmt.Errorf("key %q: a name is lower-case letters, digits, - and _, at most 63", name)}
	}
	sum := sha256.Sum256([]byte(secret))
	return f.edit(func(lines []string) ([]string, error) {
		if slices.ContainsFunc(lines, named(name)) {
			return nil, fmt.Errorf("key %q: %s has one of that name; signet keys revoke %s removes it", name, f, name)
		}
		return append(lines, name+":"+hex.EncodeToString(sum[:])), nil
	})
}

// revoke removes the key of a name.
func (f keysFile) revoke(name string) error {
	return f.edit(func(lines []string) ([]string, error) {
		kept := slices.DeleteFunc(slices.Clone(lines), named(name))
		if len(kept) == len(lines) {
			return nil, fmt.Errorf("key %q: no such key in %s", name, f)
		}
		return kept, nil
	})
}

// edit replaces the file by what change makes of its lines, at once and readable by its owner alone. Two
// edits at a time are one too many: the second fails.
func (f keysFile) edit(change func(lines []string) ([]string, error)) error {
	path := string(f)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	release, err := aloneIn(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer release()
	next, err := os.OpenFile(path+".new", replacing, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s.new is there: another signet is editing the keys, or was ended while it did; then remove it", path)
	}
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(next.Name()) }() // a rename has taken it away, unless something failed
	defer func() { _ = next.Close() }()
	lines, err := f.lines()
	if err != nil {
		return err
	}
	if lines, err = change(lines); err != nil {
		return err
	}
	if _, err := next.WriteString(strings.Join(append(lines, ""), "\n")); err != nil {
		return err
	}
	return errors.Join(next.Sync(), next.Close(), os.Rename(next.Name(), path))
}

// lines are the file's, comments and all. A file that is not there has none; one that the gateway would
// refuse is refused here too.
func (f keysFile) lines() ([]string, error) {
	if !f.exists() {
		return nil, nil
	}
	if _, err := config.ReadKeys(string(f)); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(string(f))
	if err != nil {
		return nil, err
	}
	return slices.Collect(trimmedLines(string(text))), nil
}

func trimmedLines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			if !yield(strings.TrimRight(line, "\r\n")) {
				return
			}
		}
	}
}

// named reports of a line whether it is the key of that name.
func named(name string) func(line string) bool {
	return func(line string) bool {
		before, _, ok := strings.Cut(strings.TrimSpace(line), ":")
		return ok && strings.TrimSpace(before) == name
	}
}

// isKeyName reports whether a name has the form that route names have too.
func isKeyName(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	return name != "" && len(name) <= 63 && name[0] != '-' && name[0] != '_' && strings.Trim(name, letters+"-_") == ""
}

// newSecret is a key's secret: 256 random bits, and a prefix by which scanners for leaked secrets know it.
func newSecret() string {
	bits := make([]byte, 32)
	_, _ = rand.Read(bits) // it never fails; the program ends instead
	return "signet_" + base64.RawURLEncoding.EncodeToString(bits)
}
