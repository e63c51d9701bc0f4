package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"signet/config"
	"signet/gateway/sandbox"
)

// Whatever breaks, a tools/call is executed at most once, and none is lost without a word.

// Executions are how calls ended, and how often each was executed.
type executions struct {
	mu       sync.Mutex
	executed map[string]int // under mu
	ends     map[string]int // by outcome, "" for results; under mu
}

func newExecutions() *executions {
	return &executions{executed: map[string]int{}, ends: map[string]int{}}
}

func (y *executions) execute(id string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.executed[id]++
}

// end holds the answer to a call against how often it was executed.
func (y *executions) end(t *testing.T, id, answer string) {
	t.Helper()
	y.mu.Lock()
	defer y.mu.Unlock()
	var got answered
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatalf("call %s: %v: %q", id, err, answer)
	}
	n, outcome := y.executed[id], got.Error.Data.Outcome
	y.ends[outcome]++
	switch {
	case string(got.ID) != fmt.Sprintf("%q", id):
		t.Errorf("call %s was answered as %s", id, got.ID)
	case n > 1:
		t.Errorf("call %s was executed %d times: %s", id, n, answer)
	case isResult(answer) && n != 1, outcome == notSent && n != 0, outcome == rejected && n != 0:
		t.Errorf("call %s was executed %d times, and answered %s", id, n, answer)
	case !isResult(answer) && outcome == "":
		t.Errorf("call %s was lost without a word: %s", id, answer)
	}
}

// calls is how many a test makes: ten times as many when there is time.
func calls() int {
	if os.Getenv("SIGNET_LONG") != "" {
		return 10_000
	}
	return 1_000
}

// storm sends calls by some workers, and tells y of each end.
func (y *executions) storm(t *testing.T, b *bench, route string) {
	t.Helper()
	const workers = 8
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < calls(); i += workers {
				id := fmt.Sprint("call-", i)
				_, answer := b.post(t, route, toolCall(id, "echo", `"text":"x"`))
				y.end(t, id, answer)
			}
		})
	}
	all.Wait()
}

// has reports that there were enough ends of each kind for the test to prove something.
func (y *executions) has(t *testing.T, outcomes ...string) {
	t.Helper()
	for _, outcome := range outcomes {
		if y.ends[outcome] < 20 {
			t.Errorf("the calls ended so: %v; too few of %q", y.ends, outcome)
		}
	}
}

// cutting has an address dialled so that each connection is cut after so many bytes, either way, by chance.
func cutting(n *network, address string, chance *rand.Rand) {
	var mu sync.Mutex
	n.through(address, func(ctx context.Context, dial dialer) (net.Conn, error) {
		conn, err := dial(ctx, "", "")
		if err != nil {
			return nil, err
		}
		mu.Lock()
		left := chance.IntN(6000)
		mu.Unlock()
		w := &wire{Conn: conn}
		spend := func(p []byte, move func([]byte) (int, error)) (int, error) {
			mu.Lock()
			may := min(left, len(p))
			left -= may
			mu.Unlock()
			if may == 0 && len(p) > 0 {
				_ = conn.Close()
				return 0, net.ErrClosed
			}
			moved, err := move(p[:may])
			if err == nil && moved < len(p) && left == 0 {
				_ = conn.Close()
				err = net.ErrClosed
			}
			return moved, err
		}
		w.write = func(p []byte) (int, error) { return spend(p, conn.Write) }
		w.read = func(p []byte) (int, error) {
			got, err := conn.Read(p[:min(len(p), 512)])
			mu.Lock()
			defer mu.Unlock()
			if left -= got; left < 0 && err == nil {
				_ = conn.Close()
				return max(0, got+left), net.ErrClosed
			}
			return got, err
		}
		return w, nil
	})
}

func TestPitfall34_CallsOverConnectionsThatAreCutAnywhereAreExecutedOnceAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
		r := c.routes["a"]
		r.Breaker.Failures = 0 // five cuts in a row, which chance makes at times, would keep the rest from the upstream
		c.routes["a"] = r
		b := newBench(t, n, settings(c.routes), Options{})
		held(t, b, "a")
		cutting(n, "a.test:80", rand.New(rand.NewPCG(5, 4)))
		y := newExecutions()
		const workers = 8
		answers := make([]string, calls())
		var all sync.WaitGroup
		for w := range workers {
			all.Go(func() {
				for i := w; i < calls(); i += workers {
					_, answers[i] = b.post(t, "a", toolCall(fmt.Sprint("call-", i), "echo", `"text":"x"`))
				}
			})
		}
		all.Wait()
		synctest.Wait()
		for _, e := range c.Ledger().Calls() {
			y.executed[e.Call] = e.Executions
		}
		for i, answer := range answers {
			y.end(t, fmt.Sprint("call-", i), answer)
		}
		y.has(t, "", unknown)
		if twice := c.Ledger().Twice(); len(twice) != 0 {
			t.Errorf("executed twice: %v", twice)
		}
	})
}

// misbehave answers a call in one of the ways in which HTTP/2 upstreams do not. One that executes a call does not
// say that it did nothing: RFC 9113, 8.7.
func (y *executions) misbehave(way int, c *framedConn, stream uint32, id string) {
	switch way {
	case 0:
		_ = c.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
		return
	case 1:
		if c.pre < stream { // else one that came later was executed, and this is none of those after the last
			c.goAway(c.pre, http2.ErrCodeNo, "")
			return
		}
	}
	y.execute(id)
	switch way {
	case 2:
		_ = c.WriteRSTStream(stream, http2.ErrCodeProtocol)
	case 3:
		_ = c.WriteRSTStream(stream, http2.ErrCodeInternal)
	case 4:
		c.goAway(max(c.pre, stream), http2.ErrCodeInternal, "")
		_ = c.WriteRSTStream(stream, http2.ErrCodeCancel)
	case 5:
		c.head(stream, "application/json")
		_ = c.WriteData(stream, false, []byte(`{"jsonrpc"`))
		_ = c.WriteRSTStream(stream, http2.ErrCodeInternal)
	default:
		c.answer(stream, fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"result":{}}`, id))
	}
}

// idOf is the id of a call as the upstream reads it.
func idOf(body []byte) string {
	var m struct{ ID string }
	_ = json.Unmarshal(body, &m)
	return m.ID
}

func TestPitfall34_CallsToHTTP2UpstreamsThatResetAreExecutedOnceAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, y := newNetwork(), newExecutions()
		chance, mu := rand.New(rand.NewPCG(5, 4)), sync.Mutex{}
		up := play(t, n, "up.test", func(c *framedConn, stream uint32, body []byte) {
			mu.Lock()
			way := chance.IntN(10)
			mu.Unlock()
			y.misbehave(way, c, stream, idOf(body))
		})
		up.route.Breaker.Failures = 0 // it would keep most calls from the upstream
		b := newBench(t, n, settings(map[string]config.Route{"r": up.route}), Options{})
		y.storm(t, b, "r")
		y.has(t, "", unknown)
	})
}

// The control: what net/http does when it may send a body again, and what the count of executions makes of it.
func TestPitfall34_TheControlIsExecutedMoreThanOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, y := newNetwork(), newExecutions()
		up := play(t, n, "up.test", func(c *framedConn, stream uint32, body []byte) {
			way := 2
			if c.of.asked.Load() == 20 { // net/http would go on for ever
				way = 9
			}
			y.misbehave(way, c, stream, idOf(body))
		})
		b := newBench(t, n, settings(map[string]config.Route{"r": up.route}), Options{})
		body := toolCall("call", "echo", `"text":"x"`)
		r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, up.route.Upstream, nil))
		r.ContentLength = int64(len(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
		if response, err := b.gateway.current.Load().routes["r"].pool.RoundTrip(r); err == nil {
			_ = response.Body.Close()
		}
		if y.executed["call"] != 20 {
			t.Errorf("executed %d times: a body that can be had again does no harm", y.executed["call"])
		}
	})
}
