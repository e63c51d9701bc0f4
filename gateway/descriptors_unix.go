//go:build unix

package gateway

import "syscall"

// reserved is how many file descriptors connections leave free: a reload, AWS's files and tokens, the log and who
// operates the gateway go on when clients have taken all others.
const reserved = 16

// Reserved reports whether fd is one of the last that the process may have open, which connections are not to take:
// the kernel gives the lowest that is free. Of a small limit it is the last quarter.
func Reserved(fd uintptr) bool {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return false
	}
	most := uint64(limit.Cur)
	return uint64(fd) >= most-min(reserved, most/4)
}

// withinLimit is the Control of a dialer: it refuses a connection that takes a descriptor of the last, and bounds the
// time of bytes without an acknowledgement on one that does not.
func withinLimit(network, address string, raw syscall.RawConn) error {
	last := false
	if err := raw.Control(func(fd uintptr) { last = Reserved(fd) }); err != nil {
		return err
	}
	if last {
		return syscall.EMFILE
	}
	return boundUnacknowledged(network, address, raw)
}
