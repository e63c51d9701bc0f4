package gateway

import "syscall"

// Reserved is false: here no number bounds what a process may have open.
func Reserved(uintptr) bool { return false }

// withinLimit is the Control of a dialer.
func withinLimit(network, address string, raw syscall.RawConn) error {
	return boundUnacknowledged(network, address, raw)
}
