package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// A clock tower is an upstream whose tools take the time that their arguments say, and that notes what else it is told.
type tower struct {
	mu     sync.Mutex
	told   []string // notifications, with the session they came in; under mu
	left   int      // calls that were given up; under mu
	stream bool     // answers are streams, with progress each second
	deaf   bool     // notifications are not answered
}

func (s *tower) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if !strings.Contains(string(body), "tools/call") {
		s.mu.Lock()
		s.told = append(s.told, r.Header.Get("Mcp-Session-Id")+" "+string(body))
		s.mu.Unlock()
		if s.deaf {
			<-r.Context().Done()
		}
		w.WriteHeader(http.StatusAccepted)
		return
	}
	took := 2 * time.Second
	if _, after, ok := strings.Cut(string(body), `"takes":"`); ok {
		text, _, _ := strings.Cut(after, `"`)
		took, _ = time.ParseDuration(text)
	}
	done, beat := time.After(took), time.NewTicker(time.Second)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			if s.stream {
				events(w)(event(progress))
			}
		case <-done:
			if s.stream {
				events(w)(event(callAnswer))
				return
			}
			answering(callAnswer)(w, r)
			return
		case <-r.Context().Done():
			s.mu.Lock()
			s.left++
			s.mu.Unlock()
			return
		}
	}
}

func (s *tower) notes() (told []string, left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told, s.left
}

func timing(t *testing.T, s *tower, timeouts map[string]time.Duration) *bench {
	t.Helper()
	return alone(t, s.ServeHTTP, func(r *config.Route) { r.Tools.Timeouts = timeouts })
}

// taking calls a tool that takes its time, in a session.
func taking(t *testing.T, tool, takes, version string) *http.Request {
	t.Helper()
	r := request(t, "r", fmt.Sprintf(`{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"%s","arguments":{"takes":"%s"}}}`, tool, takes))
	r.Header.Set("Mcp-Session-Id", "s")
	r.Header.Set("MCP-Protocol-Version", version)
	return r
}

const toolFailed = `"content":[{"type":"text","text":"signet: route \"r\": the tool \"slow\" took longer than 1 s (tools.timeouts)"}],"isError":true,` +
	`"_meta":{"signet/error":{"source":"gateway","reason":"tool_timeout","route":"r","retryable":false,"outcome":"unknown"}}}}`

func TestToolsTimeoutAnswersAResultThatIsAnErrorAndCallsOffTheCall(t *testing.T) {
	const cancelled = `s {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9007199254740993,"reason":"the gateway's tools.timeouts ran out"}}`
	for version, want := range map[string]struct{ result, told string }{
		"2025-11-25": {`{"jsonrpc":"2.0","id":9007199254740993,"result":{` + toolFailed, cancelled},
		modern:       {`{"jsonrpc":"2.0","id":9007199254740993,"result":{"resultType":"complete",` + toolFailed, ""},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s stream %t", version, stream), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &tower{stream: stream}
					b := timing(t, s, map[string]time.Duration{"sl*": 1500 * time.Millisecond, "slow": time.Second})
					began := time.Now()
					response, got := b.do(t, taking(t, `slo\u0077`, "3s", version))
					if took := time.Since(began); took != time.Second || response.StatusCode != http.StatusOK {
						t.Errorf("it took %s and answered %d", took, response.StatusCode)
					}
					whole := want.result
					if strings.Contains(got, "event:") {
						got = got[strings.LastIndex(got, "data: ")+6:]
						whole += "\n\n"
					}
					if got != whole {
						t.Errorf("the client got\n%s\nwant\n%s", got, whole)
					}
					synctest.Wait()
					told, left := s.notes()
					if strings.Join(told, "\n") != want.told || left != 1 {
						t.Errorf("the upstream was told %q, and left %d times", told, left)
					}
				})
			})
		}
	}
}

func TestToolsTimeoutStandsInForTheRoutesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tower{}
		b := timing(t, s, map[string]time.Duration{"slow": 2 * time.Hour})
		began := time.Now()
		if _, got := b.do(t, taking(t, "slow", "1h", "2025-11-25")); got != callAnswer || time.Since(began) != time.Hour {
			t.Errorf("after %s: %s", time.Since(began), got)
		}
		quiet := alone(t, slowly(10*time.Minute, event(callAnswer)), func(r *config.Route) {
			r.Tools.Timeouts = map[string]time.Duration{"slow": time.Hour}
		})
		if _, got := quiet.do(t, taking(t, "slow", "", "2025-11-25")); !strings.Contains(got, event(callAnswer)) || strings.Contains(got, "error") {
			t.Errorf("a tool that is silent for longer than timeouts.idle: %s", got)
		}
		began = time.Now()
		if _, got := b.do(t, taking(t, "other", "1h", "2025-11-25")); !strings.Contains(got, `"reason":"first_byte"`) || time.Since(began) != 2*time.Minute {
			t.Errorf("a tool without a limit, after %s: %s", time.Since(began), got)
		}
	})
}

// Progress says that a tool works, and not that it may go on.
func TestToolsTimeoutIsNotPutOffByProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tower{stream: true}
		b := timing(t, s, map[string]time.Duration{"*": 3500 * time.Millisecond})
		_, got := b.do(t, taking(t, "slow", "1m", "2025-11-25"))
		if n := strings.Count(got, event(progress)); n != 3 || !strings.Contains(got, "took longer than 3.5 s") {
			t.Errorf("%d events, and then %s", n, got)
		}
	})
}

func TestToolsTimeoutOfABatchIsTheLongestOfItsTools(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tower{}
		b := timing(t, s, map[string]time.Duration{"a": 3 * time.Second, "b": time.Second})
		call := func(id, name string) string {
			return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"` + name + `","arguments":{"takes":"1h"}}}`
		}
		r := request(t, "r", "["+call("1", "a")+","+call(`"\u0032"`, "b")+"]")
		r.Header.Set("Mcp-Session-Id", "s")
		began := time.Now()
		_, got := b.do(t, r)
		if time.Since(began) != 3*time.Second || strings.Count(got, `"code":-31002`) != 2 || !strings.Contains(got, `"id":"\u0032"`) {
			t.Errorf("after %s: %s", time.Since(began), got)
		}
		synctest.Wait()
		if told, _ := s.notes(); len(told) != 1 || strings.Count(told[0], "notifications/cancelled") != 2 || !strings.Contains(told[0], `"requestId":"\u0032"`) {
			t.Errorf("the upstream was told %q", told)
		}
		began = time.Now()
		if _, got := b.post(t, "r", "["+call("1", "a")+","+askList+"]"); time.Since(began) != 2*time.Minute {
			t.Errorf("a batch of which one may take as long as any, after %s: %s", time.Since(began), got)
		}
	})
}

func TestToolsTimeoutCallsOffOnlyWhatWasSentInASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tower{}
		b := alone(t, s.ServeHTTP, func(r *config.Route) {
			r.Tools.Timeouts = map[string]time.Duration{"slow": time.Second, "held": 5 * time.Second}
			r.Limits.Calls = 1
		})
		r := taking(t, "slow", "1h", "2025-11-25")
		r.Header.Del("Mcp-Session-Id")
		if _, got := b.do(t, r); !strings.Contains(got, `"isError":true`) {
			t.Errorf("without a session: %s", got)
		}
		go func() { _, _ = b.client.Do(taking(t, "held", "1h", "2025-11-25")) }()
		synctest.Wait()
		if _, got := b.do(t, taking(t, "slow", "1h", "2025-11-25")); !strings.Contains(got, `"isError":true`) || !strings.Contains(got, `"outcome":"not_sent"`) {
			t.Errorf("while it waits for a place: %s", got)
		}
		synctest.Wait()
		if told, _ := s.notes(); len(told) != 0 {
			t.Errorf("the upstream was told %q", told)
		}
	})
}

func TestToolsTimeoutDoesNotWaitForTheUpstreamToHear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := timing(t, &tower{deaf: true}, map[string]time.Duration{"slow": time.Second})
		for range 3 {
			began := time.Now()
			if _, got := b.do(t, taking(t, "slow", "1h", "2025-11-25")); time.Since(began) != time.Second {
				t.Errorf("after %s: %s", time.Since(began), got)
			}
		}
		if n := b.gateway.current.Load().routes["r"].flight.count(); n == 0 {
			t.Error("nothing is on its way: this test tells nothing")
		}
		<-time.After(cancelWithin)
		synctest.Wait()
		if n := b.gateway.current.Load().routes["r"].flight.count(); n != 0 {
			t.Errorf("%d are still on their way", n)
		}
	})
}

// A tool that is slow is no upstream that fails.
func TestToolsTimeoutOpensNoCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := timing(t, &tower{}, map[string]time.Duration{"slow": time.Second})
		for range 10 {
			b.do(t, taking(t, "slow", "1h", "2025-11-25"))
		}
		if state := b.circuit(); state != "closed" {
			t.Errorf("the circuit is %s", state)
		}
	})
}

func TestToolsTimeoutIsTheOneOfTheNewConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := timing(t, &tower{}, nil)
		next := edited(b.gateway.current.Load().config, "r", func(r *config.Route) {
			r.Tools.Timeouts = map[string]time.Duration{"slow": time.Second}
		})
		changes, err := b.gateway.Reload(t.Context(), next, nil)
		if err != nil || fmt.Sprint(changes.Parts["r"]) != "[tools]" {
			t.Fatalf("%v, %v", changes.Parts, err)
		}
		if _, got := b.do(t, taking(t, "slow", "1h", "2025-11-25")); !strings.Contains(got, `"isError":true`) {
			t.Error(got)
		}
	})
}
