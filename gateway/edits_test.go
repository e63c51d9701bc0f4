package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/sandbox"
)

// theEdited is the route that is edited while the others are watched.
const theEdited = "edited"

// An editor edits one route over and over while calls and streams are under way on all. The edited route's
// upstream tells of which edition a request was made.
type editor struct {
	*storm
	net    *network
	drain  time.Duration
	change func(n int64, name string, r *config.Route) // of the routes that are not the edited one; nil: none

	begun, done atomic.Int64 // the edition that is being applied, and that is
	spanned     atomic.Int64 // calls answered on an edition that had been replaced

	mu   sync.Mutex
	next chan struct{} // closed by the next edit; under mu
	over chan struct{} // closed after the last
}

// newEditor has so many signed routes, each warm and with a stream open, and the edited one.
func newEditor(t *testing.T, routes int, drain time.Duration) (*editor, []*watched) {
	t.Helper()
	var names []string
	for i := range routes {
		names = append(names, fmt.Sprint("r", i))
	}
	n := newNetwork()
	e := &editor{net: n, drain: drain, next: make(chan struct{}), over: make(chan struct{})}
	upstream(t, n, theEdited, e.ServeHTTP)
	c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), names...)
	e.storm = &storm{cloud: c}
	b := newBench(t, n, e.edition(0), Options{})
	e.front = &front{Client: *b.client, address: "127.0.0.1:8484", gateway: b.gateway}
	post := func(route, body string) string {
		answer, err := e.ask(t.Context(), route, body)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	c.warm(t, post)
	streams := []*watched{e.watch(t, theEdited, toolCall("s", "stream", `"ms":0`))}
	for _, name := range names {
		streams = append(streams, e.watch(t, name, toolCall("s-"+name, "events", `"count":1000000,"every_ms":20,"bytes":10`)))
	}
	c.warm(t, post) // the streams took the connections
	return e, streams
}

// edition is the nth config: the edited route's header and path say so, and now and then its pool changes.
func (e *editor) edition(n int64) *config.Config {
	routes := map[string]config.Route{}
	for name, r := range e.cloud.routes {
		if e.change != nil {
			e.change(n, name, &r)
		}
		routes[name] = r
	}
	r := plain(fmt.Sprintf("http://%s/mcp?edition=%d", theEdited, n))
	r.Headers = map[string]string{"X-Edition": fmt.Sprint(n)}
	r.Pool.MaxIdle = 100 + int(n/5%2)
	routes[theEdited] = r
	cfg := settings(routes)
	cfg.Drain = e.drain
	return cfg
}

// edit applies the nth edition.
func (e *editor) edit(t *testing.T, n int64) Changes {
	t.Helper()
	e.begun.Store(n)
	changes, err := e.gateway.Reload(t.Context(), e.edition(n), nil)
	if err != nil {
		t.Fatal(err)
	}
	e.done.Store(n)
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.next)
	e.next = make(chan struct{})
	return changes
}

// dialed is how many connections were made to upstreams of the others.
func (e *editor) dialed() int {
	n := 0
	for name := range e.cloud.routes {
		n += e.net.dialed(name + ".test:80")
	}
	return n
}

// afterEdits is when so many more editions have been applied, or the last one has.
func (e *editor) afterEdits(ctx context.Context, n int) {
	for range n {
		e.mu.Lock()
		next := e.next
		e.mu.Unlock()
		select {
		case <-next:
		case <-e.over:
		case <-ctx.Done():
		}
	}
}

// An origin is what the edited route's upstream saw of a request: two marks of its edition, and the edition
// that was being applied at that time.
type origin struct {
	Header, Query string
	Seen          int64
}

// ServeHTTP is that upstream. A slow call is answered three editions later.
func (e *editor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var m struct {
		ID     json.RawMessage
		Params struct{ Name string }
	}
	_ = json.Unmarshal(body, &m) // the gateway has read it
	saw, _ := json.Marshal(origin{r.Header.Get("X-Edition"), r.URL.Query().Get("edition"), e.begun.Load()})
	if m.Params.Name == "stream" {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for send := events(w); r.Context().Err() == nil; <-tick.C {
			send(event(progress))
		}
		return
	}
	if m.Params.Name == "slow" {
		e.afterEdits(r.Context(), 3)
	}
	answering(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID, saw))(w, r)
}

// callEdited calls the edited route and checks that the answer is of one edition, one that served at the time.
func (e *editor) callEdited(ctx context.Context, tool string, n int) {
	since := e.done.Load()
	body, err := e.ask(ctx, theEdited, toolCall(fmt.Sprint(tool, n), tool, `"ms":0`))
	var answer struct{ Result origin }
	if err == nil {
		err = json.Unmarshal([]byte(body), &answer)
	}
	var edition int64
	_, _ = fmt.Sscan(answer.Result.Header, &edition)
	if saw := answer.Result; err != nil || saw.Header == "" || saw.Header != saw.Query || edition < since || edition > saw.Seen {
		e.fail("call begun on edition %d: %v %s", since, err, body)
	}
	if edition < e.done.Load() {
		e.spanned.Add(1)
	}
}

// A watched stream ticks with each event.
type watched struct {
	name string
	tick chan struct{}
	end  chan string
}

// watch opens a stream and follows it until the test ends.
func (e *editor) watch(t *testing.T, route, body string) *watched {
	t.Helper()
	response, err := e.Do(e.newRequest(t.Context(), route, body))
	if err != nil {
		t.Fatal(err)
	}
	s := &watched{name: route, tick: make(chan struct{}, 1), end: make(chan string, 1)}
	go func() {
		defer func() { _ = response.Body.Close() }()
		last := ""
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if lines.Text() != "" {
				last = lines.Text()
			}
			if strings.Contains(lines.Text(), "notifications/progress") {
				select {
				case s.tick <- struct{}{}:
				default:
				}
			}
		}
		s.end <- last
	}()
	<-s.tick
	return s
}

// lives reports whether two more events come.
func (s *watched) lives() bool {
	for range 2 {
		select {
		case <-s.tick:
		case <-s.end:
			return false
		}
	}
	return true
}

// run edits so many times, each time after some rounds of calls, while up to 16 workers call all routes, each its own ones, so
// that a route has one call at a time, and the edited one as well, where more are slow.
func (e *editor) run(t *testing.T, edits int64) {
	t.Helper()
	workers, between := min(16, len(e.cloud.routes)), 2
	if os.Getenv("SIGNET_LONG") != "" {
		between = 16
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var busy sync.WaitGroup
	called := make(chan struct{}, workers)
	for w := range workers {
		busy.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				for i := w; i < len(e.cloud.routes); i += workers {
					route := fmt.Sprint("r", i)
					body, err := e.ask(t.Context(), route, toolCall(fmt.Sprintf("%s-%d", route, n), "echo", `"text":"hi"`))
					if e.calls.Add(1); err != nil || !isResult(body) {
						e.fail("call on %s: %v %s", route, err, body)
					}
				}
				e.callEdited(t.Context(), "quick", n)
				select {
				case called <- struct{}{}:
				case <-ctx.Done():
				}
			}
		})
	}
	for range 4 {
		busy.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				e.callEdited(t.Context(), "slow", n)
			}
		})
	}
	for n := int64(1); n <= edits; n++ {
		for range between {
			<-called
		}
		if changes := e.edit(t, n); e.change == nil && (len(changes.Changed) != 1 || len(changes.Kept) != len(e.cloud.routes)) {
			e.fail("edition %d: %s", n, changes)
		}
	}
	close(e.over)
	stop()
	busy.Wait()
}

func TestEditsOfOneRouteAreUnseenByAllOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, streams := newEditor(t, 49, 10*time.Minute)
		dialed, asked := e.dialed(), e.cloud.sts.Asked()
		e.run(t, 200)
		for _, s := range streams {
			if !s.lives() {
				t.Errorf("the stream of %s is broken", s.name)
			}
		}
		if n := e.failed.Load(); n > 0 {
			t.Errorf("%d calls failed, the first: %s", n, e.first)
		}
		if n := e.dialed() - dialed; n != 0 {
			t.Errorf("%d new connections to upstreams of routes that were not edited", n)
		}
		if n := e.cloud.sts.Asked() - asked; n != 0 {
			t.Errorf("%d credential fetches", n)
		}
		if s := e.gateway.Status(); s.Snapshot.Number != 201 || s.Retiring.Routes > 1 {
			t.Errorf("snapshot %d, held %+v", s.Snapshot.Number, s.Retiring)
		}
		if n := e.spanned.Load(); n < 100 {
			t.Errorf("only %d calls outlived their edition", n)
		}
		t.Logf("%d calls on the others, %d outlived their edition", e.calls.Load(), e.spanned.Load())
	})
}

// The control: where the edits touch the others as well, all of it must be seen.
func TestEditsControlOfEditsThatTouchTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, streams := newEditor(t, 5, 50*time.Millisecond)
		file := os.Getenv("AWS_CONFIG_FILE")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for name := range e.cloud.routes {
			text = fmt.Appendf(text, "[profile %s-too]\nrole_arn = %s\nsource_profile = base\n", name, e.cloud.Identity(name).RoleARN)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		e.change = func(n int64, name string, r *config.Route) {
			r.Pool.MaxIdle = 100 + int(n)
			r.Profile = []string{name, name + "-too"}[n%2]
		}
		dialed, asked := e.dialed(), e.cloud.sts.Asked()
		e.run(t, 10)
		for _, s := range streams[1:] {
			if last := <-s.end; !strings.Contains(last, `"code":-31021`) {
				t.Errorf("the stream of %s ended with %q", s.name, last)
			}
		}
		if conns, fetches := e.dialed()-dialed, e.cloud.sts.Asked()-asked; conns < 5 || fetches < 5 {
			t.Errorf("%d new connections, %d fetches: the test above cannot see them", conns, fetches)
		}
	})
}
