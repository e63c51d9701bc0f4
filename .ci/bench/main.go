// Bench measures what a call through the gateway costs, beside what it costs through other proxies, and prints
// the table as Markdown.
//
// Usage: go run ./.ci/bench. It needs Linux. The gateway or proxy has one CPU, callers and upstream another,
// where there are two and taskset is installed. Every figure that counts is a ratio between programs that were
// measured in turn, in many short rounds: time alone means nothing on a machine that others use. Every answer is
// checked, and every signature. It exits 1 when one is wrong or a goal is missed by more than 15 %.
//
// BENCH_ROUNDS (12), BENCH_ROUND (600ms), BENCH_CALLERS (32) and BENCH_STREAMS (1000) make it shorter or longer.
// BENCH_ONLY=hung measures only what a collector that hangs costs. BENCH_BASE is a signet of another build, to be measured beside this one.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if err := dispatch(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// dispatch is a proxy when args say which, where it listens and what is behind it; else the whole run.
func dispatch(args []string) error {
	switch len(args) {
	case 0:
	case 3:
		return serveProxy(args[0], args[1], args[2])
	default:
		return fmt.Errorf("usage: go run ./.ci/bench")
	}
	s, err := readSettings()
	if err != nil {
		return err
	}
	if err := pinSelf(); err != nil {
		return err
	}
	return run(s)
}

// settings are how long a run is.
type settings struct {
	rounds  int
	round   time.Duration
	callers int // each has one call under way
	streams int
}

func readSettings() (settings, error) {
	s := settings{rounds: 12, round: 600 * time.Millisecond, callers: 32, streams: 1000}
	for name, into := range map[string]*int{"BENCH_ROUNDS": &s.rounds, "BENCH_CALLERS": &s.callers, "BENCH_STREAMS": &s.streams} {
		text := os.Getenv(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return s, fmt.Errorf("%s=%s: want a number, at least 1", name, text)
		}
		*into = n
	}
	if text := os.Getenv("BENCH_ROUND"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return s, fmt.Errorf("BENCH_ROUND=%s: want a duration such as 300ms", text)
		}
		s.round = d
	}
	return s, nil
}

// The CPU of what is measured, and that of all the rest.
const (
	measuredCPU = "0"
	otherCPU    = "1"
)

// pins reports whether programs can be kept to a CPU of their own.
func pins() bool {
	_, err := exec.LookPath("taskset")
	return err == nil && (runtime.NumCPU() > 1 || os.Getenv("BENCH_PINNED") != "")
}

// pinSelf starts this program anew on its own CPU.
func pinSelf() error {
	if !pins() || os.Getenv("BENCH_PINNED") != "" {
		return nil
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(taskset, []string{"taskset", "-c", otherCPU, self}, append(os.Environ(), "BENCH_PINNED=1"))
}
