package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// startTime bounds how long a program may take until it listens, and stopTime until it has ended after SIGTERM.
const (
	startTime = 30 * time.Second
	stopTime  = 5 * time.Second
)

// starts is how often a program is started anew when it did not come up: the port that was free may be somebody
// else's by then.
const starts = 3

// A program is one that was started, and listens.
type program struct {
	command *exec.Cmd
	ended   chan struct{}
}

// start starts a program that is to listen at an address, which command puts into the command, and waits until it
// does. Its output goes to the file name.log in dir.
func start(ctx context.Context, dir, name string, command func(address string) *exec.Cmd) (*program, string, error) {
	var err error
	for range starts {
		var address string
		if address, err = freeAddress(); err != nil {
			return nil, "", err
		}
		var p *program
		if p, err = launch(command(address), filepath.Join(dir, name+".log")); err != nil {
			return nil, "", fmt.Errorf("%s: %w", name, err)
		}
		if err = p.listens(ctx, address); err == nil {
			return p, address, nil
		}
		p.stop()
	}
	return nil, "", fmt.Errorf("%s: %w; see its log in %s", name, err, dir)
}

func launch(command *exec.Cmd, log string) (*program, error) {
	output, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = output.Close() }() // the program has its own
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &program{command: command, ended: make(chan struct{})}
	go func() {
		_ = command.Wait()
		close(p.ended)
	}()
	return p, nil
}

// listens waits until the address takes connections.
func (p *program) listens(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.ended:
			return errors.New("it ended")
		case <-ctx.Done():
			return fmt.Errorf("it does not listen: %w", ctx.Err())
		case <-tick.C:
		}
		if conn, err := net.Dial("tcp", address); err == nil {
			return errors.Join(conn.Close(), p.stays())
		}
	}
}

// stays waits for long enough to know that it is this program that listens: one that finds its port taken ends.
func (p *program) stays() error {
	select {
	case <-p.ended:
		return errors.New("it ended")
	case <-time.After(100 * time.Millisecond):
		return nil
	}
}

// stop ends the program, at once if it does not end by itself.
func (p *program) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTime):
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

// freeAddress is one where nobody listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
