package gateway

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// answering is an upstream that answers every message with the same JSON.
func answering(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}
}

func TestForwardSendsTheBodyByteForByteAndReturnsTheAnswerSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := `{ "jsonrpc" : "2.0","params":{"name":"\u0065cho","arguments":{"n":1e400,"big":9007199254740993,"dup":1,"dup":2}},` + "\n\t" + `"id":9007199254740993,"method":"tools/call","x-unknown":[ ]}`
		answer := `{"jsonrpc":"2.0",  "id":9007199254740993,"result":{"n":1.0,"é":"\u00e9"}}`
		var got atomic.Value
		b := alone(t, func(w http.ResponseWriter, r *http.Request) {
			sent, _ := io.ReadAll(r.Body)
			got.Store(fmt.Sprintf("%s %s %d %s", r.Method, r.RequestURI, r.ContentLength, sent))
			answering(answer)(w, r)
		}, func(r *config.Route) {
			r.Upstream = "http://up.test/a%2Fb/arn%3Aaws/c:d?qualifier=DEFAULT&b=%7e&a="
		})
		_, back := b.post(t, "r", body)
		if want := fmt.Sprintf("POST /a%%2Fb/arn%%3Aaws/c:d?qualifier=DEFAULT&b=%%7e&a= %d %s", len(body), body); got.Load() != want {
			t.Errorf("the upstream got\n%s\nwant\n%s", got.Load(), want)
		}
		if back != answer {
			t.Errorf("the client got %s", back)
		}
	})
}

func TestForwardSendsOnlyHeadersOfTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got http.Header
		b := alone(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.Header.Clone()
			for _, name := range []string{"Set-Cookie", "Location", "Server", "WWW-Authenticate", "X-Powered-By", "Access-Control-Allow-Origin"} {
				w.Header().Set(name, "no")
			}
			for _, name := range []string{"Mcp-Session-Id", "MCP-Protocol-Version", "Retry-After", "X-Amzn-Requestid", "Cache-Control"} {
				w.Header().Set(name, "yes")
			}
			answering(callAnswer)(w, r)
		}, func(r *config.Route) { r.Headers = map[string]string{"X-Team": "platform", "Mcp-Param-Env": "prod"} })
		r := request(t, "r", callBody)
		for name := range strings.FieldsSeq(`Authorization Cookie X-Api-Key Proxy-Authorization X-Amz-Date X-Amz-Security-Token
			X_Amz_Date X-Amz_Date X-Amz-Target X-Forwarded-For Forwarded Origin2 Idempotency-Key X-Idempotency-Key Te Baggage
			Traceparent X-Custom Accept-Language Upgrade-Insecure-Requests Mcpx`) {
			r.Header.Set(name, "client")
		}
		r.Header.Set("Connection", "keep-alive, Mcp-Session-Id")
		for _, name := range []string{"MCP-Protocol-Version", "Mcp-Session-Id", "Mcp-Method", "Mcp-Name", "Mcp-Param-Region", "Mcp-Param-Env", "Last-Event-ID"} {
			r.Header.Set(name, "client "+name)
		}
		response, _ := b.do(t, r)
		want := []string{"Accept", "Accept-Encoding", "Content-Length", "Content-Type", "Last-Event-Id", "Mcp-Method", "Mcp-Name",
			"Mcp-Param-Env", "Mcp-Param-Region", "Mcp-Protocol-Version", "Mcp-Session-Id", "User-Agent", "X-Team"}
		if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
			t.Errorf("the upstream got headers\n%v\nwant\n%v", names, want)
		}
		for name, value := range map[string]string{"X-Team": "platform", "Mcp-Param-Env": "prod", "User-Agent": "signet/dev",
			"Accept-Encoding": "identity", "Mcp-Session-Id": "client Mcp-Session-Id"} {
			if got.Get(name) != value {
				t.Errorf("the upstream got %s: %s, want %s", name, got.Get(name), value)
			}
		}
		back := slices.Sorted(maps.Keys(response.Header))
		wantBack := []string{"Cache-Control", "Content-Length", "Content-Type", "Date", "Mcp-Protocol-Version", "Mcp-Session-Id", "Retry-After", "X-Amzn-Requestid"}
		if !slices.Equal(back, wantBack) {
			t.Errorf("the client got headers\n%v\nwant\n%v", back, wantBack)
		}
	})
}

func TestForwardTellsTheUpstreamThatTheClientLeft(t *testing.T) {
	for name, first := range map[string]string{"before the first byte": "", "after the first event": event(progress)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				started, left := make(chan struct{}), make(chan time.Time, 1)
				b := alone(t, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					if first != "" {
						events(w)(first)
					}
					close(started)
					<-r.Context().Done()
					left <- time.Now()
				}, nil)
				ctx, leave := context.WithCancel(t.Context())
				r := request(t, "r", callBody).WithContext(ctx)
				go func() {
					response, err := b.client.Do(r)
					if err == nil {
						_, _ = io.Copy(io.Discard, response.Body)
						_ = response.Body.Close()
					}
				}()
				<-started
				<-time.After(time.Second)
				went := time.Now()
				leave()
				if added := (<-left).Sub(went); added != 0 {
					t.Errorf("the upstream was told %s later", added)
				}
			})
		})
	}
}

func TestForwardBoundsEveryWait(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		change  func(*config.Route)
		after   time.Duration
		want    string
	}{
		"first byte": {
			func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
			nil, 120 * time.Second, `"reason":"first_byte"`,
		},
		"call": {
			func(w http.ResponseWriter, r *http.Request) {
				send := events(w)
				for r.Context().Err() == nil {
					send(event(progress))
					select {
					case <-time.After(time.Minute):
					case <-r.Context().Done():
					}
				}
			}, nil, 30 * time.Minute, `"reason":"total"`,
		},
		"idle in a stream": {
			func(w http.ResponseWriter, r *http.Request) { events(w)(event(progress)); <-r.Context().Done() },
			nil, 300 * time.Second, `"code":-31005`,
		},
		"idle in an answer": {
			func(w http.ResponseWriter, r *http.Request) {
				answering("{")(w, r)
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}, nil, 300 * time.Second, `"reason":"idle"`,
		},
		"a place": {
			func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
			func(r *config.Route) { r.Limits.Calls = 0 }, 2 * time.Second, `"reason":"queue_timeout"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := alone(t, test.handler, test.change)
				began := time.Now()
				response, body := b.post(t, "r", callBody)
				if got := time.Since(began); got != test.after {
					t.Errorf("took %s, want %s", got, test.after)
				}
				if response.StatusCode != http.StatusOK || !strings.Contains(body, test.want) || !strings.Contains(body, `"id":9007199254740993`) {
					t.Errorf("%d %s, want 200 with the id and %s", response.StatusCode, body, test.want)
				}
			})
		})
	}
}

func TestForwardWaitsForItsPlaceBeforeAnythingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var most, now atomic.Int32
		b := alone(t, func(w http.ResponseWriter, r *http.Request) {
			most.Store(max(most.Load(), now.Add(1)))
			<-time.After(1500 * time.Millisecond)
			now.Add(-1)
			answering(callAnswer)(w, r)
		}, func(r *config.Route) { r.Limits.Calls, r.Limits.QueueWait = 4, 10*time.Second })
		done := make(chan string)
		began := time.Now()
		for range 12 {
			go func() { _, body := b.post(t, "r", callBody); done <- body }()
		}
		for range 12 {
			if body := <-done; body != callAnswer {
				t.Error(body)
			}
		}
		if got := time.Since(began); got != 4500*time.Millisecond || most.Load() != 4 {
			t.Errorf("12 calls of 1.5 s took %s, at most %d at once; want 4.5 s, 4 at once", got, most.Load())
		}
	})
}
