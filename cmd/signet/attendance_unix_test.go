//go:build unix

package main

import (
	"io"
	"strings"
	"syscall"
	"testing"
)

// The control of every row that is played with a process: whatever a row is held to is said when it is not so.
func TestAnAttendanceSaysWhatIsNotAsItIsInARow(t *testing.T) {
	p := attend(t, "", routes(quick(t), "")+"  down: { upstream: \"http://127.0.0.1:1/\", upstream_auth: none }\n")
	known := p.caller(t)
	known.call("down", theMessage)
	p.besides(t, known)
	p.signal(t, syscall.SIGTERM)
	if code := <-p.ended; code != exitOK {
		t.Fatalf("exit code %d: %s", code, p.log)
	}
	a := p.attendance
	a.printed.Wait()
	said, printed := p.log.String(), a.out.String()
	for name, test := range map[string]struct {
		tamper func()
		want   string // is in the only problem; empty: there is none
	}{
		"nothing":                  {func() {}, ""},
		"a secret in the log":      {func() { _, _ = io.WriteString(p.log, secretKey) }, "a secret is in the log"},
		"a secret in what it says": {func() { _, _ = io.WriteString(&a.out, "{"+bearer) }, "a secret is in the output"},
		"a span too few":           {func() { a.calls["down refused"]++ }, "the spans tell of"},
		"another end in a span":    {func() { delete(a.calls, "down refused"); a.calls["down connect"] = 1 }, "the spans tell of"},
		"nobody called beside":     {func() { a.beside = 0 }, "on another route"},
		"an end that nobody heard": {func() { a.blind = "x"; delete(a.calls, "down refused") }, `ended as "down refused"`},
	} {
		test.tamper()
		got := strings.Join(p.problems(t), "; ")
		if !strings.Contains(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		a.calls, a.beside, a.blind = map[string]int{"down refused": 1, "other ": 1}, 1, ""
		p.log.text.Reset()
		a.out.text.Reset()
		_, _ = io.WriteString(p.log, said)
		_, _ = io.WriteString(&a.out, printed)
	}
}
