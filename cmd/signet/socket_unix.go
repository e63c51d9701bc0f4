//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// addressInUse reports whether err says that another socket has the address.
func addressInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// noSuchAddress reports whether err says that this machine does not have the address.
func noSuchAddress(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

// listenUnix listens at path with mode 0600. Who holds the lock beside it owns the path, so what a crash
// left there is replaced, and what is in use is not. Release gives the lock up.
func listenUnix(path string) (l net.Listener, release func(), err error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, nil, err
	}
	release = func() { _ = lock.Close() } // which unlocks it
	if err := clearSocket(path); err != nil {
		release()
		return nil, nil, err
	}
	l, err = privateListen(path)
	if err != nil {
		release()
		return nil, nil, cause(err)
	}
	return l, release, nil
}

// lockFile opens path, takes its lock and writes the process id into it. A crash frees the lock.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		held := make([]byte, 20)
		n, _ := f.Read(held)
		_ = f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		return nil, inUse(processName(strings.TrimSpace(string(held[:n]))))
	}
	if err := f.Truncate(0); err != nil {
		_ = f.Close()
		return nil, err
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// clearSocket removes a socket nobody answers at. It removes nothing else.
func clearSocket(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("there is a file that is not a socket")
	}
	if c, err := net.Dial("unix", path); err == nil {
		_ = c.Close()
		return inUse("")
	}
	return os.Remove(path)
}

// privateListen makes the socket with mode 0600 from its first moment on Linux, where the file takes the
// mode of the descriptor; elsewhere from the next system call on.
func privateListen(path string) (net.Listener, error) {
	private := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
	}}
	l, err := private.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// privateDir makes dir, or checks that it is a directory of ours that nobody else may enter.
func privateDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err == nil || !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Getuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s: not a directory that only this user may enter", dir)
	}
	return nil
}
