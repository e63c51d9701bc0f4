package gateway

import (
	"net"
	"syscall"
	"testing"
)

func TestFault_F06_AConnectionFindsOutWithinThirtySecondsThatItsPeerIsGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	conn, err := dialTCP(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	read := func(level, option int) (value int) {
		t.Helper()
		var failed error
		err := raw.Control(func(fd uintptr) { value, failed = syscall.GetsockoptInt(int(fd), level, option) })
		if err != nil || failed != nil {
			t.Fatal(err, failed)
		}
		return value
	}
	if got := read(syscall.IPPROTO_TCP, tcpUserTimeout); got != 30_000 {
		t.Errorf("unacknowledged bytes are given up after %d ms", got)
	}
	idle, interval, count := read(syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE), read(syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL), read(syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT)
	if on := read(syscall.SOL_SOCKET, syscall.SO_KEEPALIVE); on != 1 || idle+interval*count != 30 {
		t.Errorf("probes: on %d, after %d s every %d s, %d of them; want an end after 30 s", on, idle, interval, count)
	}
}
