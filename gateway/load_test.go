package gateway

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"signet/config"
)

// keyed lets in the named clients, each with its name for a key.
func keyed(cfg *config.Config, names ...string) *config.Config {
	cfg.Auth.Mode = "keys"
	for _, name := range names {
		cfg.Auth.Keys = append(cfg.Auth.Keys, config.Key{Name: name, Hash: sha256.Sum256([]byte(name))})
	}
	return cfg
}

// as sends a message to a route as a client, past the network. Without a name it is the connection's.
func (b *bench) as(t *testing.T, client, route, body string) string {
	t.Helper()
	r := request(t, route, body)
	r.RemoteAddr = "127.0.0.1:1"
	if client != "" {
		r.Header.Set("Authorization", "Bearer "+client)
	}
	w := httptest.NewRecorder()
	b.gateway.ServeHTTP(w, r)
	if b.witness != nil {
		b.witness.heard(route, r.Method, w.Code, w.Body.String())
	}
	return w.Body.String()
}

// A busy upstream takes some time for each call, and knows how many it had at once.
type busy struct {
	takes     time.Duration // 0: until finish is closed
	finish    chan struct{}
	now, most atomic.Int32
	calls     atomic.Int32
}

func (u *busy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	u.calls.Add(1)
	u.most.Store(max(u.most.Load(), u.now.Add(1)))
	defer u.now.Add(-1)
	send := events(w)
	send(event(progress))
	var after <-chan time.Time
	if u.takes > 0 {
		after = time.After(u.takes)
	}
	select {
	case <-after:
	case <-u.finish:
	case <-r.Context().Done():
		return
	}
	send(event(callAnswer))
}

// theWhole is what a busy upstream answers.
const theWhole = "event: message\ndata: " + progress + "\n\nevent: message\ndata: " + callAnswer + "\n\n"

// crowd sends so many calls at once as a client, and returns the answers as they come.
func (b *bench) crowd(t *testing.T, client, route string, calls int) <-chan string {
	t.Helper()
	answers := make(chan string, calls)
	for range calls {
		go func() { answers <- b.as(t, client, route, callBody) }()
	}
	synctest.Wait()
	return answers
}

func TestTwelveCallsAnsweredAsStreamsRunAtOnceOrAsManyAsMay(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*config.Route)
		took   time.Duration
		most   int32
	}{
		"as it is":        {nil, 1500 * time.Millisecond, 12},
		"four at a time":  {func(r *config.Route) { r.Limits.Calls, r.Limits.QueueWait = 4, 10*time.Second }, 4500 * time.Millisecond, 4},
		"four per client": {func(r *config.Route) { r.Limits.PerClient, r.Limits.QueueWait = 4, 10*time.Second }, 4500 * time.Millisecond, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &busy{takes: 1500 * time.Millisecond}
				b := alone(t, up.ServeHTTP, test.change)
				began, answers := time.Now(), b.crowd(t, "", "r", 12)
				for range 12 {
					if got := <-answers; got != theWhole {
						t.Error(got)
					}
				}
				if took := time.Since(began); took != test.took || up.most.Load() != test.most {
					t.Errorf("12 calls of 1.5 s took %s, at most %d at once; want %s and %d", took, up.most.Load(), test.took, test.most)
				}
			})
		})
	}
}

// A queueing is what the calls of a client met with.
type queueing struct{ calls, sheds, ahead int }

// flood has a client keep so many calls at once on a route, and another make one a second, eight times. It
// returns what the other met with.
func flood(t *testing.T, loud string, calls int) (q queueing) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		o, spans := traced()
		up := &busy{takes: 100 * time.Millisecond}
		r := plain(upstream(t, n, "up.test", up.ServeHTTP))
		r.Limits.Calls, r.Limits.PerClient = 8, 0
		b := newBench(t, n, keyed(settings(map[string]config.Route{"r": r}), "loud", "quiet"), o)
		over := make(chan struct{})
		var all sync.WaitGroup
		for i := range calls {
			all.Go(func() {
				<-time.After(time.Duration(i%100) * time.Millisecond)
				for open := true; open; {
					b.as(t, loud, "r", strings.Replace(callBody, "slow", "loud", 1))
					select {
					case <-over:
						open = false
					case <-time.After(300 * time.Millisecond):
					}
				}
			})
		}
		for range 8 {
			<-time.After(time.Second)
			spans.Reset()
			q.calls++
			if got := b.as(t, "quiet", "r", callBody); got != theWhole {
				q.sheds++
			}
			q.ahead = max(q.ahead, ahead(spans.GetSpans()))
		}
		close(over)
		all.Wait()
	})
	return q
}

// ahead is how many calls went before the call named slow while it waited.
func ahead(spans tracetest.SpanStubs) (n int) {
	for _, call := range spans {
		if call.Name != "tools/call slow" || call.SpanKind.String() != "server" {
			continue
		}
		for _, wait := range spans {
			if wait.Name == "signet.queue.wait" && wait.Parent.SpanID() == call.SpanContext.SpanID() {
				_, _ = fmt.Sscanf(told(wait, "signet.queue.ahead"), `internal "signet.queue.wait" Unset signet.queue.ahead=%d`, &n)
			}
		}
	}
	return n
}

func TestAClientWith500CallsIsAtMostOneCallAheadOfAnother(t *testing.T) {
	if q := flood(t, "loud", 500); q.calls != 8 || q.sheds > 0 || q.ahead > 1 {
		t.Errorf("%+v", q)
	}
	if q := flood(t, "quiet", 500); q.sheds == 0 && q.ahead <= 1 {
		t.Errorf("the control, with all calls one client's, is fair all the same: %+v", q)
	}
}

func TestFault_L08_AClientThatFloodsIsShedAndNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 5000
		up, n := &busy{takes: 100 * time.Millisecond}, newNetwork()
		route := secretive(t, plain(upstream(t, n, "up.test", up.ServeHTTP)))
		cfg := keyed(settings(map[string]config.Route{"r": route}), "loud", "quiet")
		cfg.Auth.Keys = append(cfg.Auth.Keys, config.Key{Name: "third", Hash: sha256.Sum256([]byte(bearer))})
		b := witnessed(t, n, cfg, Options{})
		answers := b.crowd(t, "loud", "r", calls)
		began := time.Now()
		if got := b.as(t, "quiet", "r", callBody); got != theWhole || time.Since(began) != 100*time.Millisecond {
			t.Errorf("another client waited %s for %s", time.Since(began), got)
		}
		b.atOnce(t)
		began = time.Now()
		if got := b.as(t, "loud", "other", callBody); got != callAnswer || time.Since(began) != 0 {
			t.Errorf("another route, of the same client: %s after %s", got, time.Since(began))
		}
		served, shed := 0, 0
		for range calls {
			switch got := <-answers; {
			case got == theWhole:
				served++
			case strings.Contains(got, `"code":-31020`) && strings.Contains(got, `"reason":"queue_full"`) && strings.Contains(got, `"outcome":"not_sent"`):
				shed++
			default:
				t.Fatal(got)
			}
		}
		if want := 32 + 128; served != want || shed != calls-want || up.most.Load() > 33 {
			t.Errorf("%d served, %d shed, at most %d at once; want those that have a place or may wait, %d", served, shed, up.most.Load(), want)
		}
	})
}

func TestPitfall29_OpenStreamsStarveNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &busy{finish: make(chan struct{})}
		quick := func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Mcp-Name") == "quick" {
				answering(callAnswer)(w, r)
				return
			}
			up.ServeHTTP(w, r)
		}
		b := alone(t, quick, func(r *config.Route) { r.Limits.Calls, r.Limits.Streams = 4, 4 })
		open := func(method string) *http.Response {
			r := request(t, "r", callBody)
			if method == http.MethodGet {
				r = must(http.NewRequestWithContext(t.Context(), method, r.URL.String(), nil))
				r.Header.Set("Accept", "text/event-stream")
			}
			response, err := b.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = response.Body.Close() })
			return response
		}
		call := func() (string, time.Duration) {
			began, r := time.Now(), request(t, "r", callBody)
			r.Header.Set("Mcp-Name", "quick")
			_, body := b.do(t, r)
			return body, time.Since(began)
		}
		for range 4 {
			open(http.MethodGet)
		}
		for range 20 {
			if body, took := call(); body != callAnswer || took != 0 {
				t.Fatalf("beside 4 streams a call took %s: %s", took, body)
			}
		}
		began := time.Now()
		fifth := open(http.MethodGet)
		body, _ := io.ReadAll(fifth.Body)
		if took := time.Since(began); took != 2*time.Second || fifth.StatusCode != 503 || !strings.Contains(string(body), `"reason":"queue_timeout"`) {
			t.Errorf("one stream more: %d %s after %s", fifth.StatusCode, body, took)
		}
		for range 4 { // the control: counted as calls, they do starve one
			open(http.MethodPost)
		}
		if body, took := call(); took != 2*time.Second || !strings.Contains(body, `"reason":"queue_timeout"`) {
			t.Errorf("beside 4 calls one more took %s: %s", took, body)
		}
		close(up.finish)
	})
}

func TestPitfall30_NoMoreWaitThanMayAndTheRestAreToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up, n := &busy{finish: make(chan struct{})}, newNetwork()
		cfg := settings(map[string]config.Route{
			"r": plain(upstream(t, n, "up.test", up.ServeHTTP)), "s": plain(upstream(t, n, "other.test", answering(callAnswer))),
		})
		b := newBench(t, n, keyed(cfg, "a", "b"), Options{})
		began := time.Now()
		first, second := b.crowd(t, "a", "r", 500), b.crowd(t, "b", "r", 500)
		if told := len(first) + len(second); told != 1000-64-128 || time.Since(began) != 0 {
			t.Errorf("%d of 1,000 were told after %s, want all but those with a place and in the queue", told, time.Since(began))
		}
		if s := b.gateway.Status().Routes[0].Limits; s.Calls != (UseStatus{Running: 64, Waiting: 128, Clients: 2}) || s.Sheds["queue_full"] != 1000-64-128 {
			t.Errorf("%+v", s)
		}
		if used, want := b.gateway.memory.Used(), int64((64+128)*len(callBody)); used != want {
			t.Errorf("%d bytes are held, want the bodies of those, %d", used, want)
		}
		for range 50 { // a frozen route with a full queue is nothing to another
			began := time.Now()
			if got := b.as(t, "a", "s", callBody); got != callAnswer || time.Since(began) != 0 {
				t.Fatalf("another route: %s after %s", got, time.Since(began))
			}
		}
		if got := b.as(t, "a", "r", callBody); got == theWhole {
			t.Error("the frozen route is not frozen")
		}
		<-time.After(3 * time.Second)
		close(up.finish)
		synctest.Wait()
		if s := b.gateway.Status().Routes[0].Limits; s.Calls != (UseStatus{}) || s.Sheds["queue_timeout"] != 128 {
			t.Errorf("in the end: %+v", s)
		}
	})
}

func TestTheAnswerToAQuestionPassesWhileCallsWaitForIt(t *testing.T) {
	const answer, cancelled = `{"jsonrpc":"2.0","id":1,"result":{"action":"accept"}}`, `{"jsonrpc":"2.0","method":"notifications/cancelled"}`
	synctest.Test(t, func(t *testing.T) {
		up := &busy{finish: make(chan struct{})}
		b := alone(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			switch string(body) {
			case answer:
				close(up.finish)
				w.WriteHeader(http.StatusAccepted)
			case callBody:
				up.ServeHTTP(w, r)
			default:
				w.WriteHeader(http.StatusAccepted)
			}
		}, func(r *config.Route) { r.Limits.Calls = 4 })
		answers := b.crowd(t, "", "r", 4)
		began := time.Now()
		if got := b.as(t, "", "r", callBody); !strings.Contains(got, `"reason":"queue_timeout"`) { // the control
			t.Errorf("a fifth call: %s", got)
		}
		asked := time.Now()
		if response, _ := b.do(t, must(http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://127.0.0.1:8484/r", nil))); response.StatusCode != 202 {
			t.Errorf("a DELETE: %d", response.StatusCode)
		}
		if response, _ := b.post(t, "r", cancelled); response.StatusCode != 202 {
			t.Errorf("a notification: %d", response.StatusCode)
		}
		if response, _ := b.post(t, "r", answer); response.StatusCode != 202 {
			t.Errorf("the answer: %d", response.StatusCode)
		}
		for range 4 {
			if got := <-answers; got != theWhole {
				t.Error(got)
			}
		}
		if since := time.Since(asked); since != 0 || asked.Sub(began) != 2*time.Second {
			t.Errorf("the answer took %s, the fifth call %s", since, asked.Sub(began))
		}
	})
}
