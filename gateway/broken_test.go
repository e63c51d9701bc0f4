package gateway

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// The rows F05 to F11 of the fault table: connections that break, before an answer and inside one.

func TestFault_F05_ATrickleOfCommentsHoldsOffEveryTimeoutAndPassesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pieces := append(slices.Repeat([]string{": still here\n\n"}, 60), event(callAnswer))
		f := beside(t, slowly(10*time.Second, pieces...), func(r *config.Route) { r.Timeouts.Idle = 11 * time.Second })
		began, answers := time.Now(), f.begun(t, callBody)
		<-time.After(5 * time.Minute)
		f.atOnce(t)
		body := <-answers
		if took := time.Since(began); took != 610*time.Second || body != strings.Join(pieces, "") {
			t.Errorf("after %s: %q", took, body)
		}
	})
}

// The kernel finds out within 30 s that the peer is gone: unacknowledged_linux_test.go. This is what becomes of it.
func TestFault_F06_APeerThatIsGoneInsideAStreamIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		r := plain(upstream(t, n, "up.test", slowly(0, event(progress), strings.Repeat(event(progress), 2))))
		n.through("up.test:80", func(ctx context.Context, dial dialer) (net.Conn, error) {
			conn, err := dial(ctx, "", "")
			w := &wire{Conn: conn}
			reads := 0
			w.read = func(p []byte) (int, error) {
				if reads++; reads <= 2 {
					return conn.Read(p)
				}
				<-time.After(30 * time.Second)
				return 0, &net.OpError{Op: "read", Err: syscall.ETIMEDOUT}
			}
			return w, err
		})
		f := newFailing(t, n, r)
		answer := f.want(t, callBody, failure{-31005, "stream_broken", "unknown", false, 30 * time.Second})
		if !strings.HasPrefix(answer, event(progress)) {
			t.Errorf("%q", answer)
		}
	})
}

func TestFault_F07_AResetInsideAStreamEndsItWithAnErrorAfterAllThatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		f := newFailing(t, n, plain(upstream(t, n, "up.test", func(w http.ResponseWriter, _ *http.Request) {
			send := events(w)
			send(event(progress))
			send(event(progress) + "event: message\ndata: {\"jsonrpc\"")
			panic(http.ErrAbortHandler)
		})))
		answer := f.want(t, callBody, failure{-31005, "stream_broken", "unknown", false, 0})
		if !strings.HasPrefix(answer, event(progress)+event(progress)+"event: message\ndata: "+`{"jsonrpc":"2.0","id":9007199254740993,"error"`) {
			t.Errorf("%q", answer)
		}
	})
}

// A clean end on a 2025-11-25 stream that carried an event id is the client's to resume, and passes.
func TestFault_F08_AnEndWithoutAnAnswerIsAnError(t *testing.T) {
	for _, sent := range []string{"", event(progress), "id: 1\n" + event(progress)} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			f := newFailing(t, n, plain(upstream(t, n, "up.test", slowly(0, sent))))
			answer := f.want(t, callBody, failure{-31005, "stream_broken", "unknown", false, 0})
			if !strings.HasPrefix(answer, sent+"event: message\ndata: ") {
				t.Errorf("%q", answer)
			}
			r := request(t, "r", callBody)
			r.Header.Set("MCP-Protocol-Version", "2025-11-25")
			if _, body := f.do(t, r); strings.HasPrefix(sent, "id") && body != sent {
				t.Errorf("one that can be resumed: %q", body)
			}
		})
	}
}

func TestFault_F09_HalfAnAnswerIsNoAnswer(t *testing.T) {
	cut := func(length, sent int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", fmt.Sprint(length))
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":9007199254740993,"result":"`+strings.Repeat("x", sent))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		f := newFailing(t, n, plain(upstream(t, n, "up.test", cut(1000, 400))))
		f.want(t, callBody, failure{-31003, "truncated", "unknown", false, 0})
	})
	synctest.Test(t, func(t *testing.T) {
		f := beside(t, cut(3<<20, 2<<20), nil)
		response, err := f.client.Do(request(t, "r", callBody))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if body, err := io.ReadAll(response.Body); err == nil {
			t.Errorf("%d bytes look like a whole answer", len(body))
		}
		f.atOnce(t)
	})
}

// Before there are headers the code is -31001, with an outcome that says it all; the row's -31005 is a stream's.
func TestFault_F10_AResetAfterTheRequestWasSentRepeatsWhatOnlyReads(t *testing.T) {
	for _, test := range []struct {
		method  string
		retries int
		asked   int32
	}{
		{"tools/call", 1, 1}, {"tools/list", 1, 2}, {"initialize", 1, 2}, {"ping", 1, 2}, {"server/discover", 1, 2},
		{"resources/list", 1, 2}, {"resources/templates/list", 1, 2}, {"prompts/list", 1, 2}, {"resources/read", 1, 2},
		{"prompts/get", 1, 2}, {"completion/complete", 1, 1}, {"tasks/cancel", 1, 1}, {"vendor/list", 1, 1}, {"tools/list", 0, 1},
	} {
		t.Run(fmt.Sprint(test.method, test.retries), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				var asked atomic.Int32
				r := plain(upstream(t, n, "up.test", func(_ http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					asked.Add(1)
					panic(http.ErrAbortHandler)
				}))
				r.Retry.Max = test.retries
				f := newFailing(t, n, r)
				f.want(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q}`, test.method), failure{-31001, "broken", "unknown", false, 0})
				if asked.Load() != test.asked {
					t.Errorf("sent %d times, want %d", asked.Load(), test.asked)
				}
				want := []string{"signet.attempt=1", "signet.attempt=2 signet.retry.reason=broken"}[:test.asked]
				if got := f.attempts("signet.attempt", "signet.retry.reason"); !slices.Equal(got, want) {
					t.Errorf("attempts %q, want %q", got, want)
				}
			})
		})
	}
}

func TestFault_F11_AKeptConnectionThatIsDeadCostsNoCallOfWhichNothingWasWritten(t *testing.T) {
	// A dead connection over TLS costs a handshake, and with the race detector all is ten times as slow.
	for secure, calls := range map[bool]int32{false: unraced(10_000), true: unraced(1_000)} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			var executed atomic.Int32
			count := func(w http.ResponseWriter, r *http.Request) { executed.Add(1); answering(callAnswer)(w, r) }
			r, address := plain("http://up.test/mcp"), "up.test:80"
			if secure {
				h := hold(t, n, "up.test", false)
				r, address = h.route, "up.test:443"
				close(h.finish)
			} else {
				upstream(t, n, "up.test", count)
			}
			stales := new(atomic.Int32)
			if !secure {
				stales = stale(n, address, 0)
			} else {
				staleTLS(n, address, stales)
			}
			f := newFailing(t, n, r)
			for i := range calls {
				if body := f.as(t, "", "r", callBody); body != callAnswer {
					t.Fatalf("call %d: %s", i, body)
				}
			}
			f.atOnce(t)
			if stales.Load() < calls/3 || !secure && executed.Load() != calls {
				t.Errorf("%d connections were dead, %d calls executed", stales.Load(), executed.Load())
			}
		})
	}
}

// staleTLS is stale over TLS, where a request is a record among others: the first long write after an answer fails.
func staleTLS(n *network, address string, stales *atomic.Int32) {
	n.through(address, func(ctx context.Context, dial dialer) (net.Conn, error) {
		conn, err := dial(ctx, "", "")
		if err != nil {
			return nil, err
		}
		w, asked := &wire{Conn: conn}, 0
		w.write = func(p []byte) (int, error) {
			if p[0] == 23 && len(p) > 200 { // application data, and a request
				if asked++; asked > 1 {
					stales.Add(1)
					_ = conn.Close()
					return 0, net.ErrClosed
				}
			}
			return conn.Write(p)
		}
		return w, nil
	})
}

// The control of F11: of a call of which one byte was written nobody knows what became of it.
func TestFault_F11_ACallOfWhichAByteWasWrittenIsNotRepeated(t *testing.T) {
	for _, test := range []struct {
		body string
		want string
	}{{callBody, `"outcome":"unknown"`}, {listBody, callAnswer}} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			r := plain(upstream(t, n, "up.test", answering(callAnswer)))
			stales := stale(n, "up.test:80", 1)
			f := newFailing(t, n, r)
			f.post(t, "r", test.body)
			f.atOnce(t)
			if _, body := f.post(t, "r", test.body); !strings.Contains(body, test.want) || stales.Load() != 1 {
				t.Errorf("%d dead connections: %s, want %s", stales.Load(), body, test.want)
			}
		})
	}
}
