package gateway

import (
	"syscall"
	"time"
)

// unacknowledged is how long bytes may go without an acknowledgement before the connection is given up. Linux's own
// limit is about 15 minutes.
const unacknowledged = 30 * time.Second

// tcpUserTimeout is TCP_USER_TIMEOUT of linux/tcp.h, which package syscall lacks on some architectures.
const tcpUserTimeout = 0x12

// boundUnacknowledged sets TCP_USER_TIMEOUT on a connection that is being dialled.
func boundUnacknowledged(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(unacknowledged.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
