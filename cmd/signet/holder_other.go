//go:build !linux

package main

import "strconv"

// holderOf is empty: this system has no plain way to ask who holds a port.
func holderOf(string) string { return "" }

// processName is "pid 4711", and empty for no pid.
func processName(pid string) string {
	if _, err := strconv.Atoi(pid); err != nil {
		return ""
	}
	return "pid " + pid
}
