//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// hangups receives SIGHUP, and keeps a closed pipe at stderr from ending the program.
func hangups() (c <-chan os.Signal, release func()) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE)
	return caught, func() {
		signal.Stop(caught)
		signal.Reset(syscall.SIGPIPE)
	}
}
