//go:build unix

package gateway

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
)

// limited lets the process open so many descriptors more than it has.
func limited(t *testing.T, more uint64) {
	t.Helper()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	less := was
	less.Cur = uint64(f.Fd()) + more
	_ = f.Close()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &less); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
			t.Error(err)
		}
	})
}

func TestConnectionsLeaveTheLastDescriptors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	limited(t, 1000)
	conn, err := dialTCP(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	limited(t, 2)
	if _, err := dialTCP(t.Context(), "tcp", l.Addr().String()); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("a connection with a descriptor of the last: %v", err)
	}
	if reason, _ := whyUnreachable(syscall.EMFILE); reason != "fds" {
		t.Errorf("it is told as %s", reason)
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatalf("nothing is left for anybody else: %v", err)
	}
	_ = f.Close()
}
