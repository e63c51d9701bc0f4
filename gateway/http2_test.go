package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"signet/config"
)

// The row F21 of the fault table and the pitfalls 31 to 35: upstreams that speak HTTP/2.

func TestFault_F21_WhatAnUpstreamSaysItDidNotReadIsRepeatedOnce(t *testing.T) {
	for name, refuse := range map[string]func(c *framedConn, stream uint32){
		"REFUSED_STREAM": func(c *framedConn, stream uint32) { _ = c.WriteRSTStream(stream, http2.ErrCodeRefusedStream) },
		"GOAWAY":         func(c *framedConn, stream uint32) { c.goAway(c.pre, http2.ErrCodeNo, "") },
	} {
		for _, body := range []string{callBody, listBody} {
			for _, every := range []bool{false, true} {
				t.Run(fmt.Sprint(name, every), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						n := newNetwork()
						var executed atomic.Int32
						up := play(t, n, "up.test", func(c *framedConn, stream uint32, _ []byte) {
							if c.of.asked.Load() == 2 || every && c.of.asked.Load() > 1 {
								refuse(c, stream)
								return
							}
							executed.Add(1)
							c.answer(stream, callAnswer)
						})
						f := newFailing(t, n, up.route)
						if _, answer := f.post(t, "r", callBody); answer != callAnswer {
							t.Fatal(answer)
						}
						f.atOnce(t)
						if every {
							end := failure{-31001, "broken", "rejected", true, 0}
							if body == listBody { // net/http keeps the reason of its own second attempt to itself
								end.outcome, end.retryable = "unknown", name == "GOAWAY"
							}
							if body == callBody {
								end.took = settling
							}
							f.want(t, body, end)
						} else if _, answer := f.post(t, "r", body); answer != callAnswer {
							t.Error(answer)
						}
						want := int32(2)
						if every {
							want = 1
						}
						if up.asked.Load() != 3 || executed.Load() != want {
							t.Errorf("%d requests, %d executed; want 3 and %d", up.asked.Load(), executed.Load(), want)
						}
					})
				})
			}
		}
	}
}

func TestFault_F21_WhatAnUpstreamMayHaveReadIsNotRepeated(t *testing.T) {
	for name, end := range map[string]func(c *framedConn, stream uint32){
		"PROTOCOL_ERROR": func(c *framedConn, stream uint32) { _ = c.WriteRSTStream(stream, http2.ErrCodeProtocol) },
		"INTERNAL_ERROR": func(c *framedConn, stream uint32) { _ = c.WriteRSTStream(stream, http2.ErrCodeInternal) },
		"GOAWAY after it": func(c *framedConn, stream uint32) {
			c.goAway(stream, http2.ErrCodeInternal, "")
			_ = c.WriteRSTStream(stream, http2.ErrCodeInternal)
		},
		"GOAWAY with words": func(c *framedConn, stream uint32) {
			c.goAway(stream, http2.ErrCodeInternal, "REFUSED_STREAM; Server's graceful shutdown GOAWAY]")
			_ = c.WriteRSTStream(stream, http2.ErrCodeInternal)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				up := play(t, n, "up.test", func(c *framedConn, stream uint32, _ []byte) { end(c, stream) })
				f := newFailing(t, n, up.route)
				f.want(t, callBody, failure{-31001, "broken", "unknown", false, 0})
				if up.asked.Load() != 1 {
					t.Errorf("it was sent %d times", up.asked.Load())
				}
				up.asked.Store(0)
				f.want(t, listBody, failure{-31001, "broken", "unknown", false, 0})
				if up.asked.Load() != 2 {
					t.Errorf("what only reads was sent %d times, want 2", up.asked.Load())
				}
			})
		})
	}
}

// net/http repeats a request without a body by itself, up to six times.
func TestFault_F21_AStandingStreamIsAskedForTwiceAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var asked atomic.Int32
		up := play(t, n, "up.test", nil)
		up.begun = func(c *framedConn, stream uint32) {
			asked.Add(1)
			_ = c.WriteRSTStream(stream, http2.ErrCodeProtocol)
		}
		f := newFailing(t, n, up.route)
		f.atOnce(t)
		if response, body := f.do(t, standingGet(t, "r")); response.StatusCode != 502 || asked.Load() != 2 {
			t.Errorf("asked %d times: %d %s", asked.Load(), response.StatusCode, body)
		}
	})
}

// streaming is an HTTP/2 upstream of net/http that takes so many streams a connection, and knows how many connections
// it had at once.
func streaming(t *testing.T, n *network, streams int, h http.HandlerFunc) (_ config.Route, most *atomic.Int32) {
	t.Helper()
	pair, certFile, _ := certify(t, time.Now().Add(24*time.Hour))
	most = new(atomic.Int32)
	var mu sync.Mutex
	var open int32
	server := &http.Server{
		Handler: h, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}}, ErrorLog: discard(),
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: streams},
		ConnState: func(_ net.Conn, s http.ConnState) {
			mu.Lock()
			defer mu.Unlock()
			switch s {
			case http.StateNew:
				open++
				most.Store(max(most.Load(), open))
			case http.StateClosed:
				open--
			}
		},
	}
	l := n.listen(t, "up.test:443")
	go func() { _ = server.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = server.Close() })
	r := plain("https://up.test/mcp")
	r.TLS.CAFile, r.TLS.ServerName = certFile, "127.0.0.1"
	return r, most
}

// atOnce sends so many calls at once and returns the answers.
func atOnce(t *testing.T, b *bench, calls int) []string {
	t.Helper()
	var all sync.WaitGroup
	answers := make([]string, calls)
	for i := range calls {
		all.Go(func() { _, answers[i] = b.post(t, "r", callBody) })
	}
	all.Wait()
	return answers
}

func TestFault_F21_AnUpstreamOfOneStreamAConnectionLosesNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		r, _ := streaming(t, n, 1, answering(callAnswer))
		f := newFailing(t, n, r)
		for i := range 1000 {
			if i%100 == 0 {
				f.atOnce(t)
			}
			if _, answer := f.post(t, "r", callBody); answer != callAnswer {
				t.Fatalf("call %d: %s", i, answer)
			}
		}
	})
}

// Until a connection has said how many streams it takes, net/http gives it a hundred, of which an upstream that takes
// fewer turns some away, and waits a second or more before it looks for another a second time.
func TestPitfall31_MoreCallsThanAConnectionHasStreamsAreAllAnswered(t *testing.T) {
	for streams, calls := range map[int]int{100: 500, 10: 100, 2: 16} {
		synctest.Test(t, func(t *testing.T) { crowdStreams(t, streams, calls) })
	}
}

func crowdStreams(t *testing.T, streams, calls int) {
	t.Helper()
	n := newNetwork()
	r, _ := streaming(t, n, streams, func(w http.ResponseWriter, r *http.Request) {
		<-time.After(100 * time.Millisecond)
		answering(callAnswer)(w, r)
	})
	r.Limits.Calls, r.Limits.PerClient = calls, calls
	f := newFailing(t, n, r)
	began := time.Now()
	for _, answer := range atOnce(t, f.bench, calls) {
		if answer != callAnswer {
			t.Fatal(answer)
		}
	}
	if took := time.Since(began); took >= 5*time.Second { // mostly it is their own 100 ms
		t.Errorf("they took %s", took)
	}
	if sent := len(f.attempts()); sent != calls {
		t.Errorf("%d requests for %d calls: some were turned away", sent, calls)
	}
	if f.gateway.current.Load().routes["r"].pool.newTransport().HTTP2.StrictMaxConcurrentRequests {
		t.Error("StrictMaxConcurrentRequests is on: it deadlocks (golang/go#70809)")
	}
}

func TestPitfall32_ADeadHTTP2ConnectionIsFoundOutByItsPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		h := hold(t, n, "up.test", true)
		close(h.finish)
		var dead atomic.Bool
		dials := 0
		n.through("up.test:443", func(ctx context.Context, dial dialer) (net.Conn, error) {
			dials++
			conn, err := dial(ctx, "", "")
			if dials > 1 || err != nil {
				return conn, err
			}
			w, gone := &wire{Conn: conn}, make(chan struct{})
			w.write = func(p []byte) (int, error) {
				if dead.Load() {
					return len(p), nil // into nowhere
				}
				return conn.Write(p)
			}
			w.read = func(p []byte) (int, error) {
				got, err := conn.Read(p)
				if dead.Load() && err == nil {
					<-gone
				}
				return got, err
			}
			return w, nil
		})
		f := newFailing(t, n, h.route)
		if _, body := f.post(t, "r", callBody); body != callAnswer {
			t.Fatal(body)
		}
		dead.Store(true)
		began := time.Now()
		if answer := f.want(t, callBody, failure{-31001, "broken", "unknown", false, 20 * time.Second}); answer == callAnswer {
			t.Error("a dead connection answered")
		}
		if _, body := f.post(t, "r", callBody); body != callAnswer || time.Since(began) > 21*time.Second || dials != 2 {
			t.Errorf("after %s and %d dials: %s", time.Since(began), dials, body)
		}
	})
}

func TestPitfall33_ColdCallsDialNoMoreThanTheRouteMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		r, most := streaming(t, n, 100, answering(callAnswer))
		r.Pool.MaxConnections = 4
		b := newBench(t, n, settings(map[string]config.Route{"r": r}), Options{})
		for _, answer := range atOnce(t, b, 64) {
			if answer != callAnswer {
				t.Fatal(answer)
			}
		}
		if got := most.Load(); got > 4+1 { // one is for a light call beside them
			t.Errorf("%d connections at once for 64 cold calls", got)
		}
	})
}

func TestPitfall35_AnHTTP2StreamThatBreaksDoesNotLookComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		up := play(t, n, "up.test", func(c *framedConn, stream uint32, _ []byte) {
			c.head(stream, "text/event-stream")
			_ = c.WriteData(stream, false, []byte(event(progress)+"data: half"))
			_ = c.WriteRSTStream(stream, http2.ErrCodeInternal)
		})
		f := newFailing(t, n, up.route)
		answer := f.want(t, callBody, failure{-31005, "stream_broken", "unknown", false, 0})
		if !strings.HasPrefix(answer, event(progress)+"event: message\n") {
			t.Errorf("%q", answer)
		}
	})
}

func TestDisownedIsWhatNetHTTPSaysAndNothingLike(t *testing.T) {
	const before = "http2: Transport: cannot retry err ["
	for text, want := range map[string]bool{
		before + "stream error: stream ID 1; REFUSED_STREAM; received from peer] after Request.Body was written; define ...": true,
		before + "http2: Transport received Server's graceful shutdown GOAWAY] after Request.Body was written":               true,
		before + "stream error: stream ID 1; PROTOCOL_ERROR; REFUSED_STREAM; received from peer] after":                      false,
		"stream error: stream ID 1; REFUSED_STREAM; received from peer":                                                      false,
		`http2: server sent GOAWAY and closed the connection; debug="` + before + `stream ID 1; REFUSED_STREAM; "`:           false,
	} {
		if got := disowned(fmt.Errorf("%s", text)); got != want {
			t.Errorf("%v of %s", got, text)
		}
	}
}
