//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// replacing is how the next version of a file is opened by who is alone: over what a crash has left of one.
const replacing = os.O_WRONLY | os.O_CREATE | os.O_TRUNC | syscall.O_NOFOLLOW

// aloneIn makes this the only signet that edits files of a directory, until release. A crash releases it too.
func aloneIn(dir string) (release func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = d.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another signet is editing %s; do it again", dir)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return func() { _ = d.Close() }, nil
}
