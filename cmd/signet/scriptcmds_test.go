package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds what a script waits for, far above what any of it takes.
const patience = 20 * time.Second

// freePort sets an environment variable to a TCP port of the loopback address that is free: freeport PORT
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// hold listens on a free port until the script ends: hold PORT
func hold(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// await gets a URL until it answers with the status and a body that matches: await URL STATUS [REGEXP]
func await(ts *testscript.TestScript, _ bool, args []string) {
	poll(ts, func() (string, bool) {
		status, body, err := request(http.DefaultClient, http.MethodGet, args[0], "", "")
		return fmt.Sprintf("%d %s %v", status, body, err), err == nil && matches(status, body, args[1:])
	})
}

// awaitReady is a program of its own, for shell scripts: it ends when the URL that it is given answers 200.
func awaitReady() {
	tick := time.NewTicker(20 * time.Millisecond)
	for range int(patience / (20 * time.Millisecond)) {
		if status, _, err := request(http.DefaultClient, http.MethodGet, os.Args[1], "", ""); err == nil && status == 200 {
			os.Exit(0)
		}
		<-tick.C
	}
	os.Exit(1)
}

// call posts a JSON-RPC message once, with the key that a file holds: call URL KEYFILE|- STATUS [REGEXP]
func call(ts *testscript.TestScript, _ bool, args []string) {
	key := ""
	if args[1] != "-" {
		key = strings.TrimSpace(ts.ReadFile(args[1]))
	}
	status, body, err := request(http.DefaultClient, http.MethodPost, args[0], key, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	ts.Check(err)
	if !matches(status, body, args[2:]) {
		ts.Fatalf("got %d %s", status, body)
	}
}

// operate asks over the operator socket until the answer matches: operator METHOD PATH STATUS [REGEXP]
func operate(ts *testscript.TestScript, _ bool, args []string) {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			sockets, err := filepath.Glob(filepath.Join(ts.Getenv("XDG_RUNTIME_DIR"), "signet", "*.sock"))
			if err != nil || len(sockets) != 1 {
				return nil, fmt.Errorf("operator sockets: %v, %w", sockets, err)
			}
			return new(net.Dialer).DialContext(ctx, "unix", sockets[0])
		},
	}}
	poll(ts, func() (string, bool) {
		status, body, err := request(client, args[0], "http://localhost"+args[1], "", "")
		return fmt.Sprintf("%d %s %v", status, body, err), err == nil && matches(status, body, args[2:])
	})
}

func request(c *http.Client, method, url, key, body string) (int, string, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	answer, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// matches compares with a status and, if it is given, a regular expression.
func matches(status int, body string, want []string) bool {
	if strconv.Itoa(status) != want[0] {
		return false
	}
	return len(want) == 1 || regexp.MustCompile(want[1]).MatchString(body)
}

// poll tries until it works. What does not within patience fails the script with the last answer.
func poll(ts *testscript.TestScript, try func() (last string, done bool)) {
	deadline, tick := time.After(patience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		last, done := try()
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("still not so after %v; last: %s", patience, last)
		}
	}
}

// code runs a command that must end with an exit code: code N COMMAND ARGS...
func code(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if e, ok := err.(interface{ ExitCode() int }); ok {
		got = e.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// mode compares a file's permissions: mode 600 FILE
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := strconv.FormatInt(int64(info.Mode().Perm()), 8); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// edit saves a file in place with another's contents, as an editor does: edit FILE FROM
func edit(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(ts.ReadFile(args[1])), 0o600))
}

// sendSignal sends a signal to the command that runs in the background: signal TERM|HUP|INT
func sendSignal(ts *testscript.TestScript, _ bool, args []string) {
	number, ok := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "INT": syscall.SIGINT}[args[0]]
	if !ok {
		ts.Fatalf("no signal %s", args[0])
	}
	for _, command := range ts.BackgroundCmds() {
		ts.Check(command.Process.Signal(number))
	}
}
