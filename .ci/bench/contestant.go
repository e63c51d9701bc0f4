package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// startTime bounds how long a program may take until it listens.
const startTime = 10 * time.Second

// A contestant is a program that passes calls on.
type contestant struct {
	name    string
	target  target
	command *exec.Cmd // nil: none, callers reach the upstream itself
	output  bytes.Buffer
}

// start starts a program on the measured CPU, and waits until it takes connections.
func start(name string, t target, env []string, command ...string) (*contestant, error) {
	if pins() {
		command = append([]string{"taskset", "-c", measuredCPU}, command...)
	}
	c := &contestant{name: name, target: t, command: exec.Command(command[0], command[1:]...)}
	c.command.Env = env
	c.command.Stdout, c.command.Stderr = &c.output, &c.output
	if err := c.command.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", t.address)
		if err == nil {
			return c, conn.Close()
		}
		if time.Since(began) > startTime {
			c.stop()
			return nil, fmt.Errorf("%s: does not listen after %s: %s", name, startTime, c.output.String())
		}
	}
}

// stop kills the program, and what it started ends with it.
func (c *contestant) stop() {
	if c.command == nil {
		return
	}
	for _, pid := range descendants(c.command.Process.Pid) {
		if process, err := os.FindProcess(pid); err == nil {
			_ = process.Kill()
		}
	}
	_ = c.command.Wait()
}

// freeAddress is one where nobody listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// descendants are a process and all that it started, and they in turn.
func descendants(pid int) []int {
	all := []int{pid}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return all
	}
	for child := range strings.FieldsSeq(string(text)) {
		if n, err := strconv.Atoi(child); err == nil {
			all = append(all, descendants(n)...)
		}
	}
	return all
}

// cpu is the time that the program has run on a CPU so far, to the nanosecond: /proc/PID/stat counts hundredths
// of a second, of which a round has sixty.
func (c *contestant) cpu() (time.Duration, error) {
	if c.command == nil {
		return 0, nil
	}
	var total time.Duration
	for _, pid := range descendants(c.command.Process.Pid) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil || len(threads) == 0 {
			return 0, fmt.Errorf("%s: no times of process %d in /proc", c.name, pid)
		}
		for _, thread := range threads {
			text, err := os.ReadFile(thread)
			if errors.Is(err, os.ErrNotExist) {
				continue // it ended since
			}
			ran, _, _ := strings.Cut(string(text), " ")
			n, bad := strconv.ParseInt(ran, 10, 64)
			if err := errors.Join(err, bad); err != nil {
				return 0, fmt.Errorf("%s: %w", c.name, err)
			}
			total += time.Duration(n)
		}
	}
	return total, nil
}

// memory is what the program holds in RAM, in bytes.
func (c *contestant) memory() (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", c.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	var all, resident int
	if _, err := fmt.Sscan(string(text), &all, &resident); err != nil {
		return 0, err
	}
	return resident * os.Getpagesize(), nil
}
