package clients

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The control: the same clients, judged in the same way, with nothing between them and an upstream that fails in
// the ways of upstreams. Each of the four promises is broken here, so its check can fail.
func TestTheChecksFailWithoutAGateway(t *testing.T) {
	direct := []struct {
		tool   string
		code   int
		breaks map[string]string // by client: what is wrong with it at least
	}{
		{"status", -31003, with(each("code"), "late dead", "py 1.29 legacy")},
		{"login", -31003, each("code probes")},
		{"redirect", -31003, with(each("code"), "dead", "py 1.29 legacy", "py 2.0 legacy", "py 2.0 modern")},
		{"eof", -31005, with(each("code"), "late", "py 1.29 legacy", "ts 1.32 legacy", "ts 2.4 legacy", "ts 2.4 modern")},
		{"stall", -31002, with(each("code late"), "dead", "go 1.8 legacy", "go 1.8 modern")},
	}
	u, results := newUpstream(t), map[string][]string{}
	forEach(everySDK(t), func(name string, of client) {
		for _, d := range direct {
			h, asked := newHop(t, u.address()), askedToLogIn(of)
			ask(t, name, of, command{Op: "open", Session: d.tool, URL: h.url("mcp")})
			c := cell{row: row{name: d.tool, code: d.code, reason: "any", due: time.Second, tool: d.tool}}
			c.first = ask(t, name, of, command{Op: "call", Session: d.tool, Tool: d.tool, Timeout: 2500})
			c.late = time.Duration(c.first.Ms*float64(time.Millisecond)) - c.row.due
			c.next = ask(t, name, of, command{Op: "list", Session: d.tool})
			wrong := c.judge()
			if probes, _ := h.probes(); len(probes) > 0 || askedToLogIn(of) > asked {
				wrong = append(wrong, fmt.Sprintf("probes: %q", probes))
			}
			locked(func() { results[d.tool+name] = wrong })
		}
	})
	for _, d := range direct {
		for _, name := range names(d.breaks) {
			all := strings.Join(results[d.tool+name], "; ")
			t.Logf("%s, %s: %s", d.tool, name, all)
			for _, must := range strings.Fields(d.breaks[name]) {
				if !strings.Contains(all, must+":") {
					t.Errorf("%s, %s: nothing is wrong with %q, so that check shows nothing: %s", d.tool, name, must, all)
				}
			}
		}
	}
}

// askedToLogIn is how often a client of this process was. The others show it on the wire.
func askedToLogIn(of client) int {
	if g, ok := of.(*goClient); ok {
		return int(g.asked.Load())
	}
	return 0
}

// each is that for every client.
func each(words string) map[string]string {
	all := map[string]string{}
	for _, name := range []string{"go 1.8 legacy", "go 1.8 modern", "ts 1.32 legacy", "ts 2.4 legacy", "ts 2.4 modern",
		"py 1.29 legacy", "py 2.0 legacy", "py 2.0 modern"} {
		all[name] = words
	}
	return all
}

// with is more of what is wrong for some.
func with(all map[string]string, words string, some ...string) map[string]string {
	for _, name := range some {
		all[name] += " " + words
	}
	return all
}
