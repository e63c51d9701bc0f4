//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The rows L05 and L07 of the fault table: what never becomes a call, and so has no span. Another client is answered
// meanwhile.

// hear is the answer to raw bytes on a connection of its own; not all of them may be read.
func (p *process) hear(raw string) (*http.Response, string, error) {
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		return nil, "", err
	}
	defer conn.Close()
	go func() { _, _ = io.WriteString(conn, raw) }()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(answer.Body)
	return answer, string(body), err
}

// ends has the process end as SIGTERM asks it to.
func (p *process) ends(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	if code := <-p.ended; code != exitOK {
		t.Errorf("exit code %d: %s", code, p.log)
	}
}

// oneUpstream is a config with the route "r" to an upstream.
const oneUpstream = `
auth: { mode: none }
routes:
  r: { upstream: "%s", upstream_auth: none }
`

// Row L05.
func TestFault_L05_AHeadThatIsTooMuchIsAnswered431(t *testing.T) {
	fields := func(n int) string { // with Host
		var all strings.Builder
		for i := range n {
			fmt.Fprintf(&all, "X-%d: a\r\n", i%2*i)
		}
		return all.String()
	}
	p := attend(t, "", routes(quick(t), ""))
	known := p.caller(t)
	rest := fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(theMessage), theMessage) // two fields more
	for name, test := range map[string]struct {
		line, header string
		status       int
		ours         bool // in our words, not in those of net/http
	}{
		"as many fields as may be": {"/quick", fields(maxHeaderFields - 2), 200, false},
		"a field more":             {"/quick", fields(maxHeaderFields - 1), 431, true},
		"9,000 tiny fields":        {"/quick", strings.Repeat("a:\r\n", 9000), 431, true},
		"140,000 tiny fields":      {"/quick", strings.Repeat("a:b\r\n", 140_000), 431, false},
		"a value as long":          {"/quick", "X: " + strings.Repeat("x", maxHeader-128) + "\r\n", 200, false},
		"a longer value":           {"/quick", "X: " + strings.Repeat("x", maxHeader) + "\r\n", 431, true},
		"a longer name":            {"/quick", strings.Repeat("x", maxHeader) + ": x\r\n", 431, true},
		"a longer path":            {"/quick" + strings.Repeat("x", maxHeader), "", 431, true},
		"a value of a megabyte":    {"/quick", "X: " + strings.Repeat("x", 1<<20) + "\r\n", 431, false},
	} {
		t.Run(name, func(t *testing.T) {
			answer, body, err := p.hear("POST " + test.line + " HTTP/1.1\r\nHost: " + p.address + "\r\n" + test.header + rest)
			if err != nil || answer.StatusCode != test.status {
				t.Fatalf("%v %v, want %d", answer, err, test.status)
			}
			if ours := strings.Contains(body, `"code":-32600`); ours != test.ours || strings.Contains(body, `"id"`) != (test.status == 200) {
				t.Errorf("%q: a JSON-RPC error without an id: %v, want %v", body, ours, test.ours)
			}
			if test.status == 431 && !answer.Close {
				t.Error("the connection goes on")
			}
			if test.status == 200 {
				p.attendance.heard("quick", body)
			}
			p.besides(t, known)
		})
	}
	p.ends(t)
}

// Row L07. Of what may be read in two ways the gateway reads nothing, or the upstream gets one message and the
// rest is read by nobody. HTTP/2 that is passed on as HTTP/1.1 is none of these: the request upstream is made anew.
func TestFault_L07_WhatMayBeReadInTwoWaysIsReadInOneOrNot(t *testing.T) {
	got := new(received)
	up := httptest.NewServer(got)
	t.Cleanup(up.Close)
	p := attend(t, "", `listen: ["127.0.0.1:0"]`+fmt.Sprintf(oneUpstream, up.URL+"/mcp"))
	address := p.address
	cases := smugglings()
	if len(cases) < 60 {
		t.Errorf("%d cases, want 60", len(cases))
	}
	for name, c := range cases {
		raw := strings.NewReplacer("{HOST}", address, "{N}", strconv.Itoa(len(theMessage)),
			"{MESSAGE}", theMessage, "{CHUNK}", fmt.Sprintf("%x\r\n%s\r\n", len(theMessage), theMessage), "{REST}", post(address, smuggled)).Replace(c.raw)
		statuses := exchange(t, address, raw)
		want := ""
		if c.status == 200 {
			want = theMessage
		}
		if len(statuses) == 0 || statuses[0] != c.status {
			t.Errorf("%s: answers %v, want %d first", name, statuses, c.status)
		}
		if messages := got.taken(); messages != want {
			t.Errorf("%s: the upstream got %q, want %q", name, messages, want)
		} else if messages != "" {
			p.attendance.heard("r", aResult)
		}
	}
	if statuses := exchange(t, address, post(address, theMessage)+post(address, smuggled)); len(statuses) != 2 || got.taken() != theMessage+" + "+smuggled {
		t.Errorf("the control, two requests one after the other: %v", statuses)
	}
	p.attendance.heard("r", aResult)
	p.attendance.heard("r", aResult)
	p.besides(t, p.caller(t))
	p.ends(t)
}
