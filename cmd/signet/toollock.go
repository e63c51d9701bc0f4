package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"

	"signet/config"
)

// maxLock is the largest lock that a gateway reads.
const maxLock = 1 << 20

// accept replaces what the lock says of routes. What it says of others stays. One that cannot be written whole stays
// as it was.
func (f toolLock) accept(routes map[string]map[string]config.Pin) error {
	next, err := os.OpenFile(string(f)+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s.new is there: another signet is writing the lock, or was ended while it did; then remove it", f)
	}
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(next.Name()) }() // a rename has taken it away, unless something failed
	defer func() { _ = next.Close() }()
	lock, err := f.read()
	if err != nil {
		return err
	}
	lock.Schema = 1
	if lock.Routes == nil {
		lock.Routes = map[string]map[string]config.Pin{}
	}
	maps.Copy(lock.Routes, routes)
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(lock); err != nil {
		return err
	}
	if text.Len() > maxLock {
		return fmt.Errorf("%s: it would have %d bytes, and a gateway reads %d: pin fewer routes in one config", f, text.Len(), maxLock)
	}
	if _, err := next.Write(text.Bytes()); err != nil {
		return err
	}
	return errors.Join(next.Sync(), next.Close(), os.Rename(next.Name(), string(f)))
}
