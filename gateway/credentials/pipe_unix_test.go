//go:build unix

package credentials

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// Whoever opens a pipe that nobody writes to waits for ever, and so did the program that was to end.
func TestAPipeWhereAFileBelongsIsNotRead(t *testing.T) {
	home(t, "[profile dev]\nregion = eu-west-1\n", "[dev]\naws_access_key_id = AKIAONE\naws_secret_access_key = s\n")
	p := NewProfile(ProfileOptions{Profile: "dev", HTTPClient: loopback(t)})
	if _, err := p.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := os.Getenv("AWS_CONFIG_FILE")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if !p.Changed(true) {
		t.Error("it is no change")
	}
	if _, err := p.Fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "~/.aws/config (or AWS_CONFIG_FILE) cannot be read: is it a file?") {
		t.Errorf("%v", err)
	}
}
