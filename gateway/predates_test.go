package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// An oldServer is an upstream of 2024-11-05 as servers were: a stream to GET, and no POST there.
type oldServer struct {
	refuses int // a POST
	gets    atomic.Int32
	event   string // what the stream begins with
}

func (s *oldServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		http.Error(w, "no", s.refuses)
		return
	}
	s.gets.Add(1)
	events(w)(s.event)
	<-r.Context().Done()
}

const endpoint = "event: endpoint\ndata: /message?sessionId=1\n\n"

func TestAnUpstreamOfTheOldTransportIsRecognisedAndRefused(t *testing.T) {
	for _, status := range []int{400, 404, 405} {
		synctest.Test(t, func(t *testing.T) {
			s := &oldServer{refuses: status, event: ": hello\n\n" + endpoint}
			b := alone(t, s.ServeHTTP, nil)
			for range 3 {
				response, body := b.post(t, "r", callBody)
				for _, words := range []string{`"code":-31003`, `"reason":"old_transport"`, `"id":9007199254740993`, "2024-11-05", "Streamable HTTP endpoint",
					`"outcome":"rejected"`, fmt.Sprintf(`"upstream_status":%d`, status)} {
					if response.StatusCode != 200 || !strings.Contains(body, words) {
						t.Errorf("%d: %s, want %s", response.StatusCode, body, words)
					}
				}
			}
			if got := s.gets.Load(); got != 1 {
				t.Errorf("it was asked %d times for its transport", got)
			}
			<-time.After(2 * askAgain)
			b.post(t, "r", callBody)
			if got := s.gets.Load(); got != 2 {
				t.Errorf("a minute later it was asked %d times", got)
			}
		})
	}
}

func TestAStreamOfTheOldTransportIsNotPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &oldServer{refuses: 405, event: endpoint}
		b := alone(t, s.ServeHTTP, nil)
		r := request(t, "r", "")
		r.Method, r.Body = http.MethodGet, nil
		response, body := b.do(t, r)
		if response.StatusCode != 200 || strings.Contains(body, "sessionId") || !strings.Contains(body, `"reason":"old_transport"`) || strings.Contains(body, `"id"`) {
			t.Errorf("%d %q", response.StatusCode, body)
		}
		if _, body := b.post(t, "r", callBody); !strings.Contains(body, `"reason":"old_transport"`) || s.gets.Load() != 1 {
			t.Errorf("%s, after %d streams", body, s.gets.Load())
		}
	})
}

func TestOtherUpstreamsAreNotTakenForOld(t *testing.T) {
	answered := false
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		asks    bool
	}{
		"a stream of messages": {(&oldServer{refuses: 405, event: event(progress)}).ServeHTTP, true},
		"a silent stream":      {(&oldServer{refuses: 405, event: ": nothing\n\n"}).ServeHTTP, true},
		"a stream that only looks so": {func(w http.ResponseWriter, r *http.Request) {
			(&oldServer{refuses: 404, event: "event: message\ndata: endpoint\n\n" + endpoint}).ServeHTTP(w, r)
		}, true},
		"no stream": {status(404, "text/plain", "no"), true},
		"a page that looks so": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				status(200, "text/html", endpoint)(w, r)
				return
			}
			status(404, "text/html", "no")(w, r)
		}, true},
		"a JSON-RPC error":   {status(400, "application/json", `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"m"}}`), false},
		"AWS's own word":     {status(404, "application/json", `{"__type":"ResourceNotFoundException","message":"no runtime"}`), false},
		"a failure":          {status(500, "text/plain", "no"), false},
		"a throttled server": {status(429, "text/plain", "no"), false},
		"one that has answered": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && !answered {
				answered = true
				answering(callAnswer)(w, r)
				return
			}
			(&oldServer{refuses: 404, event: endpoint}).ServeHTTP(w, r)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var gets atomic.Int32
				b := alone(t, func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet {
						gets.Add(1)
					}
					test.handler(w, r)
				}, func(r *config.Route) { r.Retry.Max = 0 })
				began := time.Now()
				for range 2 {
					if _, body := b.post(t, "r", callBody); strings.Contains(body, "old_transport") {
						t.Error(body)
					}
				}
				if took := time.Since(began); took > askTransport {
					t.Errorf("two calls took %s", took)
				}
				if (gets.Load() == 1) != test.asks || gets.Load() > 1 {
					t.Errorf("it was asked %d times", gets.Load())
				}
			})
		})
	}
}
