//go:build !linux

package gateway

import "syscall"

// boundUnacknowledged does nothing: only Linux bounds how long bytes go without an acknowledgement by a number of
// ours. Elsewhere the system's own limit and the probes of a silent connection are all there is.
func boundUnacknowledged(_, _ string, _ syscall.RawConn) error { return nil }
