package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// A shelf is an upstream with tools, two on each page, which may change, and be throttled.
type shelf struct {
	mu      sync.Mutex
	tools   []string // as JSON; under mu
	fail    http.HandlerFunc
	lists   []*http.Request // under mu
	bodies  []string        // of the lists; under mu
	calls   int             // under mu
	push    string          // what a stream says before it answers a call; under mu
	hold    chan struct{}   // a list waits for it; under mu
	endless bool            // there is always a next page; under mu
	spans   *tracetest.InMemoryExporter
	opening string // what initialize is answered with, if not with a result; under mu
}

func hinted(name string, readOnly bool) string {
	return fmt.Sprintf(`{"name":%q,"annotations":{"readOnlyHint":%t}}`, name, readOnly)
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, _ := io.ReadAll(r.Body)
	var m struct {
		ID     json.RawMessage
		Method string
		Params struct{ Cursor string }
	}
	_ = json.Unmarshal(body, &m)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case m.Method == "initialize":
		opening := s.opening
		if opening == "" {
			opening = `"result":{}`
		}
		answering(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,%s}`, m.ID, opening))(w, r)
		return
	case len(m.ID) == 0:
		w.WriteHeader(http.StatusAccepted)
		return
	case m.Method != "tools/list":
		s.calls++
		if s.push != "" {
			events(w)(event(s.push) + event(callAnswer))
			return
		}
		answering(callAnswer)(w, r)
		return
	}
	s.lists, s.bodies = append(s.lists, r), append(s.bodies, string(body))
	if s.hold != nil {
		hold := s.hold
		s.mu.Unlock()
		<-hold
		s.mu.Lock()
	}
	if s.fail != nil {
		s.fail(w, r)
		return
	}
	from, next := len(m.Params.Cursor), ""
	if to := from + 2; to < len(s.tools) || s.endless {
		next = `,"nextCursor":"` + strings.Repeat("c", min(to, len(s.tools))) + `"`
	}
	page := s.tools[min(from, len(s.tools)):min(from+2, len(s.tools))]
	answering(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[%s]%s}}`, m.ID, strings.Join(page, ","), next))(w, r)
}

// set changes what the shelf has.
func (s *shelf) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *shelf) counts() (lists, calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lists), s.calls
}

// reading is a bench whose route "r" is read-only, in front of a shelf of tools.
func reading(t *testing.T, tools ...string) (*bench, *shelf) {
	t.Helper()
	s := &shelf{tools: tools}
	return alone(t, s.ServeHTTP, func(r *config.Route) {
		r.Tools = config.Tools{ReadOnly: true, Allow: []string{"also"}, Deny: []string{"secret*"}}
	}), s
}

// try calls a tool and fails if the answer has not what is wanted.
func (b *bench) try(t *testing.T, tool, want string) string {
	t.Helper()
	_, answer := b.post(t, "r", calling(tool))
	if !strings.Contains(answer, want) {
		t.Errorf("%s: %s, want %s", tool, answer, want)
	}
	return answer
}

func throttling(seconds string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", seconds)
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

const denied030 = `"code":-31030,"message":"signet: route \"r\": the tool `

func TestReadOnlyListsOnlyWhatReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := reading(t, hinted("reads", true), `{"name":"says_nothing"}`, hinted("writes", false), hinted("secret", true),
			`{"name":"also"}`, `{"name":"hintless","annotations":{"title":"x"}}`)
		cursor := ""
		for _, want := range []string{hinted("reads", true), "", `{"name":"also"}`} {
			_, answer := b.post(t, "r", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"`+cursor+`"}}`)
			cursor += "cc"
			next := `,"nextCursor":"` + cursor + `"`
			if len(cursor) == 6 {
				next = ""
			}
			if full := `{"jsonrpc":"2.0","id":1,"result":{"tools":[` + want + `]` + next + `}}`; answer != full {
				t.Errorf("got %s, want %s", answer, full)
			}
		}
	})
}

func TestReadOnlyAsksOnceForToolsThatNobodyListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := reading(t, hinted("a", true), hinted("b", false), hinted("reads", true), hinted("secret", true), `{"name":"none"}`)
		b.try(t, "reads", callAnswer)
		b.try(t, "a", callAnswer)
		for _, tool := range []string{"b", "none", "secret", "not_there", `re\u0061ds2`, "READS"} {
			answer := b.try(t, tool, denied030)
			if strings.Contains(answer, `"retryable":true`) {
				t.Errorf("%s: %s", tool, answer)
			}
		}
		b.try(t, "also", callAnswer)
		if lists, calls := s.counts(); lists != 3 || calls != 3 {
			t.Errorf("%d pages were asked for and %d calls made, want 3 and 3", lists, calls)
		}
		_, answer := b.post(t, "r", `[`+calling("reads")+`,`+calling("b")+`]`)
		if _, calls := s.counts(); calls != 3 || !strings.Contains(answer, denied030) {
			t.Errorf("a batch with a call that writes: %s", answer)
		}
		<-time.After(lookAgain)
		b.try(t, "not_there", `lists no such tool`)
		s.set(func() { s.tools = append(s.tools, hinted("new", true)) })
		<-time.After(lookAgain)
		b.try(t, "new", callAnswer)
	})
}

func TestReadOnlyAsksInTheClientsSessionAndManner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := reading(t, hinted("a", true))
		r := request(t, "r", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"progressToken":7,"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"n":9007199254740993},"io.modelcontextprotocol/logLevel":"debug"},"name":"a"}}`)
		for name, value := range map[string]string{"Mcp-Session-Id": "s", "MCP-Protocol-Version": modern, "Mcp-Method": "tools/call", "Mcp-Name": "a", "Mcp-Param-X": "secret"} {
			r.Header.Set(name, value)
		}
		if _, answer := b.do(t, r); answer != callAnswer {
			t.Fatal(answer)
		}
		h := s.lists[0].Header
		if h.Get("Mcp-Session-Id") != "s" || h.Get("MCP-Protocol-Version") != modern || h.Get("Mcp-Method") != "tools/list" || h.Get("Mcp-Name")+h.Get("Mcp-Param-X") != "" {
			t.Errorf("it asked with %v", h)
		}
		const meta = `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"n":9007199254740993}}}`
		if !strings.HasSuffix(s.bodies[0], `"method":"tools/list","params":`+meta+`}`) {
			t.Errorf("it asked %s", s.bodies[0])
		}
	})
}

func TestReadOnlyAsksOnceForManyThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := reading(t, hinted("a", true))
		hold := make(chan struct{})
		s.set(func() { s.hold = hold })
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { b.as(t, "one", "r", calling("a")) })
		}
		synctest.Wait()
		close(hold)
		all.Wait()
		if lists, calls := s.counts(); calls != 20 || lists != 1 {
			t.Errorf("%d lists for %d calls", lists, calls)
		}
	})
}

// Upstreams throttle lists first. What is known is not forgotten for that, and what is not known is refused in
// another way than what is known to write.
func TestReadOnlySurvivesAnUpstreamThatThrottles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := reading(t, hinted("a", true), hinted("b", false))
		_, _ = b.post(t, "r", askList)
		s.set(func() { s.fail = throttling("7") })
		b.try(t, "a", callAnswer)
		b.try(t, "b", `"reason":"read_only"`)
		answer := b.try(t, "c", `"reason":"read_only_unverified"`)
		for _, want := range []string{`"code":-31030`, `"retryable":true`, `"retry_after_ms":7000`, `"outcome":"not_sent"`, `"upstream_status":429`} {
			if !strings.Contains(answer, want) {
				t.Errorf("not verified: %s, want %s", answer, want)
			}
		}
		lists, _ := s.counts()
		<-time.After(6 * time.Second)
		b.try(t, "c", `"reason":"read_only_unverified"`)
		if again, _ := s.counts(); again != lists {
			t.Errorf("the upstream was asked again although it wanted 7 s")
		}
		<-time.After(10 * time.Minute) // what it said is old
		b.try(t, "a", callAnswer)
		b.try(t, "b", `"code":-31030`)
		s.set(func() { s.fail, s.tools = nil, []string{hinted("a", false), hinted("c", true)} })
		<-time.After(10 * time.Second)
		b.try(t, "c", callAnswer)
		b.try(t, "a", `"reason":"read_only"`)
	})
}

func TestReadOnlyFollowsTheUpstream(t *testing.T) {
	for name, learn := range map[string]func(*testing.T, *bench, *shelf){
		"by a list that passes": func(t *testing.T, b *bench, _ *shelf) { b.post(t, "r", askList) },
		"by time":               func(*testing.T, *bench, *shelf) { <-time.After(5 * time.Minute) },
		"by its word": func(t *testing.T, b *bench, s *shelf) {
			s.set(func() { s.push = `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}` })
			b.try(t, "also", "list_changed")
			s.set(func() { s.push = "" })
			<-time.After(lookAgain)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, s := reading(t, hinted("a", true), hinted("b", false))
				b.try(t, "a", callAnswer)
				b.try(t, "b", denied030)
				s.set(func() { s.tools = []string{hinted("a", false), hinted("b", true)} })
				learn(t, b, s)
				b.try(t, "a", denied030)
				b.try(t, "b", callAnswer)
			})
		})
	}
}

// An upstream that says its tools are others, and then not which, is not believed what it said before.
func TestReadOnlyDoesNotRelyOnWhatWasTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := reading(t, hinted("a", true))
		b.try(t, "a", callAnswer)
		<-time.After(lookAgain)
		s.set(func() {
			s.fail, s.push = throttling("1"), `[{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}]`
		})
		b.try(t, "also", "list_changed")
		b.try(t, "a", `"reason":"read_only_unverified"`)
	})
}

func TestReadOnlyRefusesWhereTheUpstreamHasNoListToTrust(t *testing.T) {
	for name, change := range map[string]func(*shelf){
		"an error":   func(s *shelf) { s.fail = answering(`{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}`) },
		"no session": func(s *shelf) { s.fail = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) } },
		"no list":    func(s *shelf) { s.fail = answering(`{"jsonrpc":"2.0","id":1,"result":{}}`) },
		"a list read two ways": func(s *shelf) {
			s.fail = answering(`{"jsonrpc":"2.0","id":1,"result":{"tools":[],"Tools":[` + hinted("a", true) + `]}}`)
		},
		"a list without an end": func(s *shelf) { s.endless = true },
		"a web page": func(s *shelf) {
			s.fail = func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/html") }
		},
		"silence": func(s *shelf) { s.fail = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() } },
		"a connection that breaks": func(s *shelf) {
			s.fail = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, s := reading(t, hinted("b", false))
				change(s)
				b.try(t, "a", `"reason":"read_only_unverified"`)
				if _, calls := s.counts(); calls != 0 {
					t.Errorf("%d calls reached the upstream", calls)
				}
			})
		})
	}
}

func TestReadOnlyKeepsWhatItKnowsOverAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := reading(t, hinted("a", true))
		b.try(t, "a", callAnswer)
		s.set(func() { s.fail = throttling("60") })
		cfg := b.gateway.current.Load().config
		if _, err := b.gateway.Reload(t.Context(), edited(cfg, "r", func(r *config.Route) { r.Limits.Calls = 3 }), nil); err != nil {
			t.Fatal(err)
		}
		b.try(t, "a", callAnswer)
		if _, err := b.gateway.Reload(t.Context(), edited(cfg, "r", func(r *config.Route) { r.Upstream += "/other" }), nil); err != nil {
			t.Fatal(err)
		}
		b.try(t, "a", `"reason":"read_only_unverified"`)
	})
}
