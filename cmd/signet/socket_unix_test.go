//go:build unix

package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"signet/config"
)

func TestUnixSocketIsItsOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, release, err := listenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	defer l.Close()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestSocketThatACrashLeftIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	_ = stale.Close()
	if err := os.WriteFile(path+".lock", []byte("1\n"), 0o600); err != nil { // and nobody holds it
		t.Fatal(err)
	}
	l, release, err := listenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	release()
	_ = l.Close()
}

func TestSocketInUseIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, release, err := listenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	defer l.Close()
	_, _, err = listenUnix(path)
	if !errors.Is(err, errAddressInUse) || !strings.Contains(err.Error(), "pid "+strconv.Itoa(os.Getpid())) {
		t.Errorf("error %v does not name the holder", err)
	}
	if c, err := net.Dial("unix", path); err != nil {
		t.Errorf("the first socket no longer answers: %v", err)
	} else {
		_ = c.Close()
	}
}

func TestSocketOfAnotherProgramIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	other, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, _, err := listenUnix(path); !errors.Is(err, errAddressInUse) {
		t.Errorf("error %v, want address in use", err)
	}
}

func TestFileThatIsNoSocketIsNotRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := listenUnix(path); err == nil {
		t.Error("listens where a file was")
	}
	if text, _ := os.ReadFile(path); string(text) != "precious" {
		t.Errorf("the file is now %q", text)
	}
}

func TestRemovedUnixListenerCanBeListedAgainWhileItDrains(t *testing.T) {
	address := unixScheme + filepath.Join(t.TempDir(), "s")
	ls := newTestListeners(t)
	apply(t, ls, answer(""), address)
	b, err := ls.prepare(nil, config.ListenTLS{})
	if err != nil {
		t.Fatal(err)
	}
	b.commit(answer(""), time.Hour)
	apply(t, ls, answer(""), address)
}

func TestDirectoryThatOthersMayEnterIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	if err := privateDir(dir); err != nil {
		t.Fatal(err)
	}
	if err := privateDir(dir); err != nil {
		t.Errorf("its own directory is refused: %v", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := privateDir(dir); err == nil {
		t.Error("a directory open to others is accepted")
	}
	link := filepath.Join(t.TempDir(), "l")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if err := privateDir(link); err == nil {
		t.Error("a link is accepted")
	}
}
