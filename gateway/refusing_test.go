package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/sandbox"
)

// The rows F13 to F15 and F19 of the fault table: upstreams that answer, but not as they should.

// twice has first answered by one and what follows by another.
func twice(asked *atomic.Int32, first, then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			first(w, r)
			return
		}
		then(w, r)
	}
}

func TestFault_F13_AThrottledReadWaitsOnceForAMoment(t *testing.T) {
	soon := func() string { return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) }
	for _, test := range []struct {
		name, body string
		status     int
		after      func() string
		waits      time.Duration // 0: it is not sent again
		told       time.Duration // what the client is told to wait
		switched   func(*config.Retry)
	}{
		{"2 s", listBody, 429, func() string { return "2" }, 2 * time.Second, 0, nil},
		{"1 s of a 503", listBody, 503, func() string { return "1" }, time.Second, 0, nil},
		{"a date", listBody, 429, soon, 2 * time.Second, 0, nil},
		{"3 s", listBody, 429, func() string { return "3" }, 0, 3 * time.Second, nil},
		{"an hour", listBody, 503, func() string { return "3600" }, 0, time.Hour, nil},
		{"a day", listBody, 429, func() string { return "86400" }, 0, time.Hour, nil},
		{"garbage", listBody, 429, func() string { return "soon" }, 0, 0, nil},
		{"nothing", listBody, 429, func() string { return "" }, 0, 0, nil},
		{"a call", callBody, 429, func() string { return "1" }, 0, time.Second, nil},
		{"no retry.throttle", listBody, 429, func() string { return "1" }, 0, time.Second, func(r *config.Retry) { r.Throttle = false }},
		{"no retries", listBody, 429, func() string { return "1" }, 0, time.Second, func(r *config.Retry) { r.Max = 0 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				var asked atomic.Int32
				r := plain(upstream(t, n, "up.test", twice(&asked, func(w http.ResponseWriter, r *http.Request) {
					status(test.status, "text/plain", "slow down", "Retry-After", test.after())(w, r)
				}, answering(callAnswer))))
				if test.switched != nil {
					test.switched(&r.Retry)
				}
				f := newFailing(t, n, r)
				if test.waits > 0 {
					began := time.Now()
					_, body := f.post(t, "r", test.body)
					got := f.attempts("error.type", "signet.outcome", "signet.retry.reason")
					want := []string{"error.type=upstream_throttled signet.outcome=rejected", "signet.outcome=answered signet.retry.reason=upstream_throttled"}
					if body != callAnswer || time.Since(began) != test.waits || !slices.Equal(got, want) {
						t.Errorf("after %s: %s, attempts %q", time.Since(began), body, got)
					}
					return
				}
				answer := f.want(t, test.body, failure{-31004, "upstream_throttled", "rejected", true, 0})
				if says := fmt.Sprintf(`"retry_after_ms":%d,`, test.told.Milliseconds()); strings.Contains(answer, says) != (test.told > 0) || asked.Load() != 1 {
					t.Errorf("%d attempts: %s", asked.Load(), answer)
				}
			})
		})
	}
}

func TestFault_F13_WhatIsThrottledTwiceIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var asked atomic.Int32
		slow := status(429, "text/plain", "", "Retry-After", "1")
		f := newFailing(t, n, plain(upstream(t, n, "up.test", twice(&asked, slow, slow))))
		f.want(t, listBody, failure{-31004, "upstream_throttled", "rejected", true, time.Second})
		if asked.Load() != 2 {
			t.Errorf("%d attempts", asked.Load())
		}
	})
}

// A retry waits before it signs: what was signed before would be two seconds old, or signed with keys that are gone.
func TestFault_F13_AThrottledReadIsSignedAfterItsPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var asked atomic.Int32
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
		r := c.routes["a"]
		var dates []string
		note := func(then http.HandlerFunc) http.HandlerFunc {
			return func(w http.ResponseWriter, in *http.Request) {
				dates = append(dates, in.Header.Get("X-Amz-Date"))
				then(w, in)
			}
		}
		r.Upstream = upstream(t, n, "up.test", twice(&asked, note(status(503, "", "", "Retry-After", "2")), note(answering(callAnswer))))
		b := newBench(t, n, settings(map[string]config.Route{"a": r}), Options{})
		if _, body := b.post(t, "a", listBody); body != callAnswer || len(dates) != 2 {
			t.Fatalf("%v %s", dates, body)
		}
		first, _ := time.Parse("20060102T150405Z", dates[0])
		second, _ := time.Parse("20060102T150405Z", dates[1])
		if second.Sub(first) != 2*time.Second {
			t.Errorf("signed at %v", dates)
		}
	})
}

func TestFault_F14_AnErrorPageOfAnUpstreamIsAStatusAndNothingElse(t *testing.T) {
	const canary = "CANARY-of-the-page"
	for _, code := range []int{500, 502, 503, 504} {
		for _, body := range []string{"<html>" + canary, ""} {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				f := newFailing(t, n, plain(upstream(t, n, "up.test", status(code, "text/html", body))))
				answer := f.want(t, callBody, failure{-31003, "status", "unknown", false, 0})
				if strings.Contains(answer, canary) || !strings.Contains(answer, fmt.Sprintf(`"upstream_status":%d`, code)) {
					t.Error(answer)
				}
			})
		}
	}
}

func TestFault_F15_ARedirectIsNotFollowed(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		for _, body := range []string{callBody, listBody} {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				upstream(t, n, "canary.test", func(http.ResponseWriter, *http.Request) { t.Error("it was followed") })
				f := newFailing(t, n, plain(upstream(t, n, "up.test", status(code, "", "", "Location", "http://canary.test/mcp"))))
				f.want(t, body, failure{-31003, "redirect_refused", "rejected", false, 0})
				if n.dialed("canary.test:80") != 0 {
					t.Error("the other host was dialled")
				}
			})
		}
	}
}

func TestPitfall25_ARedirectDoesNotTakeTheTokenAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
		r := c.routes["a"]
		upstream(t, n, "canary.test", func(_ http.ResponseWriter, r *http.Request) {
			t.Errorf("the other host got %v", r.Header)
		})
		r.Upstream = upstream(t, n, "up.test", func(w http.ResponseWriter, in *http.Request) {
			if in.Header.Get("X-Amz-Security-Token") == "" {
				t.Error("there was no token to take along")
			}
			status(307, "", "", "Location", "http://canary.test/mcp")(w, in)
		})
		b := newBench(t, n, settings(map[string]config.Route{"a": r}), Options{})
		if response, body := b.post(t, "a", callBody); !strings.Contains(body, `"reason":"redirect_refused"`) || response.Header.Get("Location") != "" {
			t.Errorf("%v %s", response.Header, body)
		}
	})
}

func TestFault_F19_AnAnswerThatIsNoneIsSaidToBeNone(t *testing.T) {
	const other = `{"jsonrpc":"2.0","id":9007199254740992,"result":{}}`
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    failure
	}{
		"wrong type": {status(200, "application/octet-stream", callAnswer), failure{-31003, "content_type", "unknown", false, 0}},
		"gzip":       {status(200, "application/json", callAnswer, "Content-Encoding", "gzip"), failure{-31003, "encoding", "unknown", false, 0}},
		"gzipped stream": {status(200, "text/event-stream", event(callAnswer), "Content-Encoding", "gzip"),
			failure{-31003, "encoding", "unknown", false, 0}},
		"another's answer":   {slowly(0, event(other)), failure{-31005, "stream_broken", "unknown", false, 0}},
		"a line without end": {slowly(0, slices.Repeat([]string{strings.Repeat("x", 1<<20)}, 18)...), failure{-31025, "too_large", "unknown", false, 0}},
		"a page":             {status(200, "text/html", "<html>"), failure{-31003, "html", "unknown", false, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				f := newFailing(t, n, plain(upstream(t, n, "up.test", test.handler)))
				f.want(t, callBody, test.want)
			})
		})
	}
}
