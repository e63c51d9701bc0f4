package clients

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWhatGoesTheOtherWayWorksThroughARouteAtItsDefaults(t *testing.T) {
	u := newUpstream(t)
	g := newGateway(t, "drain: 1s", fmt.Sprintf("  all: { upstream: %q, upstream_auth: none }\n", u.URL+"/mcp"))
	sdks := everySDK(t, "py") // whose driver has only what failures take
	forEach(sdks, func(name string, of client) {
		if got := ask(t, name, of, command{Op: "open", Session: "s", URL: "http://" + g.address + "/all"}); got.Error != nil {
			t.Errorf("%s does not connect: %s", name, got.Error)
			return
		}
		if strings.HasSuffix(name, "legacy") {
			if got := ask(t, name, of, command{Op: "level", Session: "s"}); got.Error != nil {
				t.Errorf("%s: logging/setLevel: %s", name, got.Error)
			}
		}
		for tool, want := range map[string]string{
			"progress": "done", "log": "logged", "accept": "acceptAda", "decline": "decline<nil>", "sample": "Paris", "echo": "hello",
		} {
			if got := ask(t, name, of, command{Op: "call", Session: "s", Tool: tool}); got.Error != nil || got.Text != want {
				t.Errorf("%s: %s: %q, %s; want %q", name, tool, got.Text, got.Error, want)
			}
		}
		told := func() reply { return ask(t, name, of, command{Op: "told", Session: "s"}) }
		eventually(t, name+" hears of progress and a line of the log", func() bool {
			r := told()
			return r.Progress == 5 && r.Logs > 0
		})
		if before := told(); strings.HasSuffix(name, "modern") && before.Changes > 0 {
			t.Errorf("%s heard of a change before there was one", name)
		}
	})
	if t.Failed() {
		return
	}
	// A change is told on the GET stream of the older era and on subscriptions/listen of the newer: to everyone.
	changed := command{Op: "call", Session: "s", Tool: "change"}
	for _, name := range []string{"go 1.8 legacy", "go 1.8 modern"} {
		if got := ask(t, name, sdks[name], changed); got.Error != nil {
			t.Fatalf("%s: %s", name, got.Error)
		}
	}
	forEach(sdks, func(name string, of client) {
		eventually(t, name+" hears that the tools have changed", func() bool {
			return ask(t, name, of, command{Op: "told", Session: "s"}).Changes > 0
		})
	})
}

// soon is within what time an upstream is to see that a client has left.
const soon = 50 * time.Millisecond

func TestAClientThatLeavesIsSeenUpstreamAtOnce(t *testing.T) {
	const times = 20
	u := newUpstream(t)
	g := newGateway(t, "drain: 1s", fmt.Sprintf("  all: { upstream: %q, upstream_auth: none }\n", u.URL+"/mcp"))
	of := newGoClient("")
	for _, tool := range []string{"watch-before", "watch-after"} {
		var took []time.Duration
		for i := range times {
			session := fmt.Sprint(tool, i)
			if got := ask(t, session, of, command{Op: "open", Session: session, URL: "http://" + g.address + "/all"}); got.Error != nil {
				t.Fatal(got.Error)
			}
			id := 1000 + i
			ends := of.do(command{ID: id, Op: "call", Session: session, Tool: tool, Args: map[string]any{"call": session}})
			eventually(t, "the call is under way", func() bool { return u.held.Load() == 1 })
			left := time.Now()
			of.do(command{Op: "abort", Target: id})
			took = append(took, u.seen(t, session).Sub(left))
			<-ends
			eventually(t, "the call is over", func() bool { return u.held.Load() == 0 })
			ask(t, session, of, command{Op: "close", Session: session})
		}
		judgeSoon(t, "go 1.8 modern, "+tool, took)
	}
}

// A process that is killed leaves as well, in either era and in every SDK.
func TestAClientThatIsKilledIsSeenUpstreamAtOnce(t *testing.T) {
	u := newUpstream(t)
	g := newGateway(t, "drain: 1s", fmt.Sprintf("  all: { upstream: %q, upstream_auth: none }\n", u.URL+"/mcp"))
	for name, of := range everySDK(t) {
		d, ok := of.(*driver)
		if !ok {
			continue
		}
		// With a key Python's client sends one call beside another: its OAuth waits for the answer's head.
		if got := ask(t, name, of, command{Op: "open", Session: "s", URL: "http://" + g.address + "/all", Key: "any"}); got.Error != nil {
			t.Errorf("%s: %s", name, got.Error)
			continue
		}
		before := command{Op: "call", Session: "s", Tool: "watch-before", Args: map[string]any{"call": name + " before"}}
		after := command{Op: "call", Session: "s", Tool: "watch-after", Args: map[string]any{"call": name + " after"}}
		d.do(before)
		d.do(after)
		eventually(t, name+": both calls are under way", func() bool { return u.held.Load() == 2 })
		left := time.Now()
		if err := d.process.Kill(); err != nil {
			t.Fatal(err)
		}
		first, second := u.next(t), u.next(t)
		for _, l := range []struct {
			call string
			at   time.Time
		}{{first.call, first.at}, {second.call, second.at}} {
			t.Logf("%s: seen after %s", l.call, l.at.Sub(left).Round(100*time.Microsecond))
			if took := l.at.Sub(left); took > 20*soon {
				t.Errorf("%s: seen only after %s", l.call, took)
			}
		}
		eventually(t, "the calls are over", func() bool { return u.held.Load() == 0 })
	}
}

// judgeSoon holds a series against soon, by its median: one wait for a busy machine says nothing.
func judgeSoon(t *testing.T, what string, took []time.Duration) {
	t.Helper()
	slices.Sort(took)
	t.Logf("%s: seen after %s at the median, %s at most, of %d", what, took[len(took)/2], took[len(took)-1], len(took))
	if took[len(took)/2] > soon {
		t.Errorf("%s: seen after %s", what, took[len(took)/2])
	}
}

// next is the next call whose client was seen to leave.
func (u *upstream) next(t *testing.T) left {
	t.Helper()
	select {
	case l := <-u.left:
		return l
	case <-time.After(10 * time.Second):
		t.Fatal("the upstream never sees that its client has left")
		return left{}
	}
}

// seen is when the client of a call was seen to leave.
func (u *upstream) seen(t *testing.T, call string) time.Time {
	t.Helper()
	l := u.next(t)
	if l.call != call {
		t.Fatalf("the client of %s left, not that of %s", l.call, call)
	}
	return l.at
}

func TestValidateRefusesASingleConnectionAndSaysWhy(t *testing.T) {
	for connections, want := range map[int]bool{1: false, 2: true} {
		text := fmt.Sprintf("auth: { mode: none }\nroutes:\n  a: { upstream: \"http://127.0.0.1:1/mcp\", upstream_auth: none, pool: { max_connections: %d } }\n", connections)
		says, ok := validate(t, text)
		why := strings.Contains(says, "must be 2 or more") && strings.Contains(says, "a server that asks the client something while a call runs is answered on a second connection")
		if ok != want || why == want {
			t.Errorf("max_connections: %d: ok %t: %s", connections, ok, says)
		}
	}
}
