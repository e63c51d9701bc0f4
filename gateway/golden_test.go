package gateway

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"signet/config"
	"signet/gateway/sandbox"
)

// A story is one call, or a few, of which testdata/spans has the spans.
type story struct {
	*bench
	network *network
	spans   *tracetest.InMemoryExporter
}

// stories are the calls by the name of their file. Each is told what it needs to begin with, and made of that.
func stories() map[string]func(t *testing.T, n *network, begin func(config.Route) *story) {
	type begin = func(config.Route) *story
	// by is the story of one POST to an upstream that answers so.
	by := func(body string, h http.HandlerFunc, change func(*config.Route)) func(*testing.T, *network, begin) {
		return func(t *testing.T, n *network, begin begin) {
			r := plain(upstream(t, n, "up.test", h))
			if change != nil {
				change(&r)
			}
			begin(r).post(t, "r", body)
		}
	}
	const list = `{"jsonrpc":"2.0","id":"l","method":"tools/list"}`
	var throttled atomic.Int32
	return map[string]func(*testing.T, *network, begin){
		"ok":             by(callBody, answering(callAnswer), nil),
		"is_error":       by(callBody, answering(`{"jsonrpc":"2.0","id":9007199254740993,"result":{"isError":true}}`), nil),
		"invalid_params": by(callBody, answering(`{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":-32602,"message":"m"}}`), nil),
		"timeout": by(callBody, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, func(r *config.Route) { r.Timeouts.FirstByte = 3 * time.Second }),
		"throttled_and_retried": by(list, func(w http.ResponseWriter, r *http.Request) {
			if throttled.Add(1) == 1 {
				status(429, "text/plain", "", "Retry-After", "1")(w, r)
				return
			}
			answering(`{"jsonrpc":"2.0","id":"l","result":{}}`)(w, r)
		}, nil),
		"notification": by(`{"jsonrpc":"2.0","method":"notifications/initialized"}`, status(202, "", ""), nil),
		"batch": by(`[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"}]`,
			answering(`[{"jsonrpc":"2.0","id":1,"result":{}}]`), nil),
		"continued": func(t *testing.T, n *network, begin begin) {
			r := request(t, "r", strings.Replace(callBody, `"name"`, `"_meta":{"traceparent":"00-11111111111111111111111111111111-1111111111111111-01"},"name"`, 1))
			r.Header.Set("traceparent", "00-22222222222222222222222222222222-2222222222222222-01")
			begin(plain(upstream(t, n, "up.test", answering(callAnswer)))).do(t, r)
		},
		"resource":         by(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///x"}}`, answering(`{"jsonrpc":"2.0","id":1,"result":{}}`), nil),
		"queue_shed":       shedStory,
		"client_left":      leftStory,
		"standing_stream":  standingStory,
		"expired_resigned": expiredStory,
	}
}

// shedStory is of two calls to a route that takes one at a time: the second waits in vain.
func shedStory(t *testing.T, n *network, begin func(config.Route) *story) {
	up := &busy{takes: time.Minute}
	r := plain(upstream(t, n, "up.test", up.ServeHTTP))
	r.Limits.Calls = 1
	s := begin(r)
	first := s.crowd(t, "", "r", 1)
	s.post(t, "r", strings.Replace(callBody, `"slow"`, `"second"`, 1))
	<-first
}

// leftStory is of a client that leaves while its call is under way.
func leftStory(t *testing.T, n *network, begin func(config.Route) *story) {
	started := make(chan struct{})
	s := begin(plain(upstream(t, n, "up.test", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(started)
		<-r.Context().Done()
	})))
	ctx, leave := context.WithCancel(t.Context())
	go func() { _, _ = s.client.Do(request(t, "r", callBody).WithContext(ctx)) }()
	<-started
	leave()
}

// standingStory is of a stream that a client opens by GET, within a session, and that the upstream ends.
func standingStory(t *testing.T, n *network, begin func(config.Route) *story) {
	s := begin(plain(upstream(t, n, "up.test", func(w http.ResponseWriter, _ *http.Request) {
		send := events(w)
		send(event(progress))
		<-time.After(time.Hour)
		send(event(progress))
	})))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8484/r", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Mcp-Session-Id", "s1")
	r.Header.Set("MCP-Protocol-Version", "2025-11-25")
	s.do(t, r)
}

// expiredStory is of a first call, for which credentials are fetched, and of one whose token AWS does not take any
// more.
func expiredStory(t *testing.T, n *network, begin func(config.Route) *story) {
	c := newCloud(t, sandbox.STSOptions{Life: time.Hour, Delay: func(int) time.Duration { return time.Second }}, inMemory(t, n), "r")
	s := begin(c.routes["r"])
	s.post(t, "r", toolCall("1", "echo", `"text":"x"`))
	<-time.After(time.Minute)
	c.Revoke(held(t, s.bench, "r").Credentials.AccessKeyID)
	s.post(t, "r", toolCall("2", "echo", `"text":"x"`))
}

func TestSpansAreTheGoldenOnes(t *testing.T) {
	for name, tell := range stories() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				o, spans := traced()
				tell(t, n, func(r config.Route) *story {
					return &story{newBench(t, n, settings(map[string]config.Route{"r": r}), o), n, spans}
				})
				synctest.Wait()
				golden(t, filepath.Join("testdata", "spans", name+".txt"), written(spans.GetSpans()))
			})
		})
	}
}

// golden compares what is with a file, or with -update writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// written are spans in the order of their beginnings, each with a number in the place of its id. What is another one
// each time is left out.
func written(spans tracetest.SpanStubs) string {
	slices.SortStableFunc(spans, func(a, b tracetest.SpanStub) int {
		if d := a.StartTime.Compare(b.StartTime); d != 0 {
			return d
		}
		if d := int(a.SpanKind) - int(b.SpanKind); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name) // some end at the same time, in either order
	})
	ids := map[trace.SpanID]string{}
	for i, s := range spans {
		ids[s.SpanContext.SpanID()] = fmt.Sprint(i + 1)
	}
	who := func(c trace.SpanContext) string {
		switch id := ids[c.SpanID()]; {
		case id != "":
			return id
		case c.IsValid():
			return "the client's " + c.SpanID().String()
		}
		return "none"
	}
	var b strings.Builder
	for i, s := range spans {
		fmt.Fprintf(&b, "%d %s %q, parent %s, %s\n", i+1, s.SpanKind, s.Name, who(s.Parent), s.EndTime.Sub(s.StartTime))
		for _, link := range s.Links {
			fmt.Fprintf(&b, "  link to %s\n", who(link.SpanContext))
		}
		if s.Status.Code != codes.Unset {
			fmt.Fprintf(&b, "  status %s: %s\n", s.Status.Code, s.Status.Description)
		}
		var attrs []string
		for _, a := range s.Attributes {
			attrs = append(attrs, fmt.Sprintf("  %s = %s\n", a.Key, a.Value.String()))
		}
		slices.Sort(attrs)
		b.WriteString(strings.Join(attrs, ""))
	}
	return regexp.MustCompile(`(key_id = A[KS]IA…|client.port = ).*`).ReplaceAllString(b.String(), "${1}*")
}
