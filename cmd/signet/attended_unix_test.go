//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// An attendance is the witness of a process that a row of the fault table is played with. It says in the end what
// every row is held to: another route served meanwhile, each call has the one span that its answer speaks of, nobody
// was told a secret, and nothing of the process is left.
type attendance struct {
	out     logText // what the process prints, its spans among it
	printed sync.WaitGroup

	mu      sync.Mutex
	calls   map[string]int // by route and how they ended; under mu
	answers strings.Builder
	beside  int
	blind   string // why the spans of all its calls cannot be had; empty: they can
}

// What a client shows, what the requests are signed with, and what the upstream is shown: nobody else is to see it.
const (
	bearer      = "CANARY-of-a-client"
	secretKey   = "CANARY-of-the-keys/secret"
	upstreamKey = "CANARY-of-the-upstream"
)

// attended makes a process that is not started yet, in a home of its own. Its routes are signed, and it has one more,
// "other", which has nothing to do with them.
func attended(t *testing.T, before, text string) *process {
	t.Helper()
	text = strings.ReplaceAll(text, "upstream_auth: none", `service: svc, region: eu-west-1, headers: { X-Upstream-Key: "`+upstreamKey+`" }`)
	text = "telemetry: { traces: console }\n" + strings.TrimRight(text, "\n ") + "\n  other: { upstream: \"" + quick(t) + "/quick\", upstream_auth: none }\n"
	p := begin(t, before, text)
	p.Env = append(p.Env, "AWS_ACCESS_KEY_ID=AKIACANARYOFTHEKEYS1", "AWS_SECRET_ACCESS_KEY="+secretKey, "OTEL_BSP_SCHEDULE_DELAY=5")
	p.attend(t)
	return p
}

// attend has a process that is not started yet attended.
func (p *process) attend(t *testing.T) {
	t.Helper()
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.attendance = &attendance{calls: map[string]int{}}
	t.Cleanup(func() { // after it has ended, and before its home is gone
		p.attendance.printed.Wait()
		for _, problem := range p.problems(t) {
			t.Error(problem)
		}
	})
}

// attend starts an attended process and waits until it serves.
func attend(t *testing.T, before, text string) *process {
	t.Helper()
	p := attended(t, before, text)
	p.serve(t)
	return p
}

// besides fails unless the route "other" answers. It is called while the fault lasts.
func (p *process) besides(t *testing.T, c *caller) {
	t.Helper()
	if got := c.call("other", theMessage); got != "200 "+aResult {
		t.Errorf("another route: %s", got)
	}
	p.attendance.beside++
}

// heard notes an answer to a call; nil-safe, for most processes are not attended.
func (a *attendance) heard(route, answer string) {
	if a == nil {
		return
	}
	how := ""
	if found := regexp.MustCompile(`"reason":"([a-z_]+)"`).FindAllStringSubmatch(answer, -1); found != nil {
		how = found[len(found)-1][1]
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers.WriteString(answer)
	if strings.Contains(answer, `"jsonrpc"`) { // else there was none
		a.calls[route+" "+how]++
	}
}

// ended is by route and how they ended the calls that the printed spans tell of.
func (a *attendance) ended() map[string]int {
	n := map[string]int{}
	for line := range strings.Lines(a.out.String()) {
		var span struct {
			SpanKind   int
			Attributes []struct {
				Key   string
				Value struct{ Value any }
			}
		}
		if json.Unmarshal([]byte(line), &span) != nil || span.SpanKind != 2 { // a server's
			continue
		}
		of := map[string]string{}
		for _, attribute := range span.Attributes {
			of[attribute.Key] = fmt.Sprint(attribute.Value.Value)
		}
		n[of["signet.route"]+" "+of["error.type"]]++
	}
	return n
}

// problems are what a row is not to show.
func (p *process) problems(t *testing.T) (all []string) {
	t.Helper()
	a := p.attendance
	if a.beside == 0 {
		all = append(all, "no call was made on another route meanwhile")
	}
	got := a.ended()
	if a.blind == "" && !maps.Equal(got, a.calls) {
		all = append(all, fmt.Sprintf("the spans tell of calls that ended so: %v; the answers: %v", got, a.calls))
	}
	for key, n := range got {
		if n > a.calls[key] && a.blind != "" {
			all = append(all, fmt.Sprintf("the spans tell of %d calls that ended as %q; the answers of %d", n, key, a.calls[key]))
		}
	}
	for where, text := range map[string]string{"the log": p.log.String(), "the output": a.out.String(), "an answer": a.answers.String()} {
		for _, secret := range []string{bearer, secretKey, upstreamKey, "AKIACANARYOFTHEKEYS1"} {
			if i := strings.Index(text, secret); i >= 0 {
				all = append(all, fmt.Sprintf("a secret is in %s: %s", where, text[max(0, i-100):min(len(text), i+100)]))
			}
		}
	}
	if err := syscall.Kill(-p.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
		all = append(all, fmt.Sprintf("a process of its group is left: %v", err))
	}
	if c, err := net.Dial("tcp", p.address); p.address != "" && err == nil {
		_ = c.Close()
		all = append(all, "its address is still served")
	}
	if left, _ := filepath.Glob(filepath.Join(p.home, "signet", "*.sock")); p.ProcessState.Exited() && len(left) > 0 {
		all = append(all, fmt.Sprintf("it leaves %v", left))
	}
	slices.Sort(all)
	return all
}

// keep keeps what a process prints from now on.
func (a *attendance) keep(from io.Reader) {
	if a == nil {
		go func() { _, _ = io.Copy(io.Discard, from) }()
		return
	}
	a.printed.Go(func() { _, _ = io.Copy(&a.out, from) })
}
