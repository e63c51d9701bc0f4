//go:build !race

package gateway

// unraced is n where the race detector is off, and a tenth where it is on.
func unraced(n int32) int32 { return n }
