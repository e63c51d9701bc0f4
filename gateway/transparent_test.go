package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Requirements of the protocol: what a route does not do.

//
func TestTransparentRouteSendsEachEventBeforeTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const count, every = 100, 20 * time.Millisecond
		b := alone(t, func(w http.ResponseWriter, _ *http.Request) {
			send := events(w)
			for i := range count {
				<-time.After(every)
				send(fmt.Sprintf("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progress\":%d}}\n\n", i))
			}
			send(event(callAnswer))
		}, nil)
		began := time.Now()
		response, err := b.client.Do(request(t, "r", callBody))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		lines := bufio.NewReader(response.Body)
		for i := range count {
			line, err := lines.ReadString('\n')
			if at := time.Since(began); err != nil || at != time.Duration(i+1)*every || !strings.Contains(line, fmt.Sprintf(`"progress":%d}`, i)) {
				t.Fatalf("event %d after %s: %q, %v", i, at, line, err)
			}
			if _, err := lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// a batch is the upstream's to refuse.
func TestTransparentRouteLetsTheUpstreamJudgeABatch(t *testing.T) {
	const batch = `[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]`
	const no = `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"JSON-RPC batching is not supported"}}`
	for version, want := range map[string]int{"": 200, "2025-06-18": 400} {
		synctest.Test(t, func(t *testing.T) {
			answer := `[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"result":{}}]`
			if want == 400 {
				answer = no
			}
			var got string
			b := alone(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = string(body)
				status(want, "application/json", answer)(w, r)
			}, nil)
			r := request(t, "r", batch)
			if version != "" {
				r.Header.Set("MCP-Protocol-Version", version)
			}
			if response, body := b.do(t, r); response.StatusCode != want || body != answer || got != batch {
				t.Errorf("%q: %d %s, the upstream got %s", version, response.StatusCode, body, got)
			}
		})
	}
}

// R-037, with the control that a stream which stays open is not ended.
func TestTransparentRouteEndsAStreamWhenTheUpstreamDoes(t *testing.T) {
	for _, open := range []time.Duration{0, 7 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			b := alone(t, func(w http.ResponseWriter, _ *http.Request) {
				events(w)(event(callAnswer))
				<-time.After(open)
			}, nil)
			began := time.Now()
			if _, body := b.post(t, "r", callBody); body != event(callAnswer) || time.Since(began) != open {
				t.Errorf("ended after %s, the upstream after %s: %q", time.Since(began), open, body)
			}
		})
	}
}

// a subscription is silent for as long as nothing happens.
func TestTransparentRouteKeepsASubscriptionForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const listen = `{"jsonrpc":"2.0","id":"l","method":"subscriptions/listen","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
		const end = `{"jsonrpc":"2.0","id":"l","result":{"resultType":"complete"}}`
		b := alone(t, func(w http.ResponseWriter, _ *http.Request) {
			send := events(w)
			send(event(progress))
			<-time.After(24 * time.Hour)
			send(event(end))
		}, nil)
		_, body := b.post(t, "r", listen)
		if got := strings.ReplaceAll(body, comment, ""); got != event(progress)+event(end) {
			t.Errorf("got %q", got)
		}
		if n := strings.Count(body, comment); n < 24*60*4-1 {
			t.Errorf("%d comments in a day, one each 15 s", n)
		}
	})
}

// with it: what may be kept, for whom and for how long is the client's business.
func TestTransparentRouteKeepsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		b := alone(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			answering(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","ttlMs":3600000,"cacheScope":"public","tools":[],"n":%d}}`, asked))(w, r)
		}, nil)
		for i := range 3 {
			if _, body := b.post(t, "r", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); !strings.Contains(body, fmt.Sprintf(`"n":%d`, i+1)) {
				t.Errorf("request %d was answered %s", i+1, body)
			}
		}
	})
}
