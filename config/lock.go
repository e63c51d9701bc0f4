package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// A Lock is the file of the tools' definitions that somebody accepted, beside the config: signet.lock for signet.yaml.
// It is JSON, and made by signet pin --accept.
type Lock struct {
	// Schema is the version of this form.
	Schema int `json:"schema"`

	// Routes are the routes whose tools are pinned, by name, and of each its tools by name.
	Routes map[string]map[string]Pin `json:"routes"`
}

// A Pin is a tool's definition as it was accepted.
type Pin struct {
	// SHA256 is the hash of the definition as canonical JSON (RFC 8785, integers with all their digits), in
	// hexadecimal digits.
	SHA256 string `json:"sha256"`

	// Definition is the name, title, description, inputSchema, outputSchema and annotations.
	Definition json.RawMessage `json:"definition"`
}

// LockFile is the path of the lock of a config file.
func LockFile(config string) string {
	return strings.TrimSuffix(config, filepath.Ext(config)) + ".lock"
}

// ReadLock reads a lock. One that is not there, or that others may write, is refused as a key file is.
func ReadLock(path string) (Lock, error) {
	content, err := readFile(path)
	if err != nil {
		return Lock{}, err
	}
	return parseLock(content)
}

func parseLock(content []byte) (Lock, error) {
	var lock Lock
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(&lock); err != nil || d.More() {
		return Lock{}, errors.New("it is no lock: restore it, or remove it and run signet pin --accept")
	}
	if lock.Schema != 1 {
		return Lock{}, fmt.Errorf("its schema is %d, and this program reads 1", lock.Schema)
	}
	for route, tools := range lock.Routes {
		for tool, pin := range tools {
			if len(pin.SHA256) != 64 || strings.Trim(pin.SHA256, "0123456789abcdef") != "" {
				return Lock{}, fmt.Errorf("the tool %q of the route %q has no hash: take it out, and run signet pin %s --accept", tool, route, route)
			}
		}
	}
	return lock, nil
}

// pins gives the routes that pin their tools what was accepted of them.
func (l *loading) pins(cfg *Config) {
	path := LockFile(l.absolute)
	var lock Lock
	for _, name := range sortedNames(cfg.Routes) {
		r := cfg.Routes[name]
		if r.Tools.Pin == "off" || r.Tools.Pin == "" {
			continue
		}
		key := "routes/" + name + "/tools/pin"
		content, err := l.contentOf(path)
		if err == nil {
			lock, err = parseLock(content)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			l.unread(key, path, err)
			return
		}
		if r.Pins = lock.Routes[name]; len(r.Pins) == 0 {
			what := "no tool is pinned yet: every one is reported as new"
			if r.Tools.Pin == "block" {
				what = "no tool is pinned yet, and so every one is refused"
			}
			l.warn(key, what, "signet pin "+name+" --accept")
		}
		cfg.Routes[name] = r
	}
}
