//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// hangups receives SIGHUP.
func hangups() (c <-chan os.Signal, release func()) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	return caught, func() { signal.Stop(caught) }
}
