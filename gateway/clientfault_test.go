package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"signet/config"
)

// The rows L01 to L06 of the fault table: what clients do. Each has a second route, "other", beside it.

// beside is a bench with the route "r" to h and one that answers at once.
func beside(t *testing.T, h http.HandlerFunc, change func(*config.Route)) *failing {
	t.Helper()
	n := newNetwork()
	r := plain(upstream(t, n, "up.test", h))
	if change != nil {
		change(&r)
	}
	return newFailing(t, n, r)
}

// idle fails unless the route has no call under way any more.
func (b *bench) idle(t *testing.T) {
	t.Helper()
	synctest.Wait()
	if n := b.gateway.current.Load().routes["r"].flight.count(); n != 0 {
		t.Errorf("%d calls are still under way", n)
	}
}

// leaver has clients of "r" leave one after the other, each a second after its call has begun upstream, where
// first is what it has had by then. One place is all there is, and the last client stays.
func leaver(t *testing.T, first string) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 12 // more than open a breaker
		stay := false
		started, told := make(chan struct{}), make(chan time.Time, 1)
		b := beside(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if stay {
				answering(callAnswer)(w, r)
				return
			}
			if first != "" {
				events(w)(first)
			}
			started <- struct{}{}
			<-r.Context().Done()
			told <- time.Now()
		}, func(r *config.Route) { r.Limits.Calls = 1 })
		for range clients {
			ctx, leave := context.WithCancel(t.Context())
			r := request(t, "r", callBody).WithContext(ctx)
			go func() {
				if response, err := b.client.Do(r); err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
			}()
			<-started
			<-time.After(time.Second)
			b.atOnce(t)
			went := time.Now()
			leave()
			if later := (<-told).Sub(went); later != 0 {
				t.Errorf("the upstream was told %s later", later)
			}
			b.idle(t)
		}
		stay = true
		if _, body := b.post(t, "r", callBody); body != callAnswer {
			t.Errorf("the client after them: %s", body)
		}
		left := 0
		for _, s := range b.spans.GetSpans() {
			if line := spoken(s); strings.HasPrefix(line, "server") && strings.Contains(line, "signet.route=r") && strings.Contains(line, "client_cancelled") {
				left++
				if strings.Contains(line, "Error") || strings.Contains(line, "error.type") {
					t.Error(line)
				}
			}
		}
		if left != clients || bytes.Contains(b.witness.log.bytes(), []byte(`"WARN"`)) {
			t.Errorf("%d spans of clients that left, want %d; log %s", left, clients, b.witness.log.bytes())
		}
	})
}

func spoken(s tracetest.SpanStub) string {
	return told(s, "signet.route", "signet.outcome", "error.type")
}

// Row L01; its 100 ms are none in simulated time.
func TestFault_L01_AClientThatLeavesBeforeTheAnswerEndsItsCall(t *testing.T) { leaver(t, "") }

// Row L02.
func TestFault_L02_AClientThatLeavesAStreamEndsIt(t *testing.T) { leaver(t, event(progress)) }

// withoutEnd is an upstream that sends events of this size until the gateway takes no more, and counts them.
func withoutEnd(size int, sent *atomic.Int64, ended chan<- struct{}) http.HandlerFunc {
	one := event(`{"jsonrpc":"2.0","method":"x","params":"` + strings.Repeat("x", size) + `"}`)
	return func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		send := events(w)
		for r.Context().Err() == nil {
			send(one)
			sent.Add(int64(len(one)))
		}
	}
}

// raw is a POST of callBody to "r" on a connection of its own, of which nothing is read.
func (b *bench) raw(t *testing.T) net.Conn {
	t.Helper()
	return b.speak(t, rawHead+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(callBody), callBody))
}

// Row L03: of a stream without an end a client reads a little at a time.
func TestFault_L03_ASlowReaderIsHeldUpAndNotHeldForInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		ended := make(chan struct{})
		b := beside(t, withoutEnd(8<<10, &sent, ended), nil)
		conn, taken := b.raw(t), int64(0)
		piece := make([]byte, 4<<10)
		for range 500 {
			n, err := io.ReadFull(conn, piece)
			if err != nil {
				t.Fatal(err)
			}
			taken += int64(n)
			<-time.After(time.Second)
			if ahead := sent.Load() - taken; ahead > 64<<10 {
				t.Fatalf("the upstream is %d bytes ahead of the client", ahead)
			}
		}
		b.atOnce(t)
		_ = conn.Close()
		b.witness.ended("r", "client_cancelled")
		<-ended
		b.idle(t)
	})
}

func TestFault_L03_AReaderThatMakesNoHeadwayIsGivenUp(t *testing.T) {
	for name, every := range map[string]time.Duration{"nothing": 0, "a byte a second": time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent atomic.Int64
				ended := make(chan struct{})
				b := beside(t, withoutEnd(8<<10, &sent, ended), nil)
				conn, began := b.raw(t), time.Now()
				go func() {
					for one := make([]byte, 1); every > 0; <-time.After(every) {
						if _, err := conn.Read(one); err != nil {
							return
						}
					}
				}()
				<-ended
				if took := time.Since(began); took != writeDeadline {
					t.Errorf("given up after %s, want %s", took, writeDeadline)
				}
				b.atOnce(t)
				b.idle(t)
				b.witness.ended("r", "client_cancelled")
				for _, s := range b.spans.GetSpans() {
					if line := spoken(s); strings.HasPrefix(line, "server") && strings.Contains(line, "=r ") && !strings.Contains(line, "client_cancelled") {
						t.Error(line)
					}
				}
			})
		})
	}
}

// With one deadline for all of a long event, a line of 100 kB/s would never get one of 15 MiB.
func TestFault_L03_AReaderThatMakesHeadwayGetsALongEventWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := event(`{"jsonrpc":"2.0","id":9007199254740993,"result":"` + strings.Repeat("x", 1<<20) + `"}`)
		b := beside(t, func(w http.ResponseWriter, _ *http.Request) { events(w)(answer) }, nil)
		conn, began := b.raw(t), time.Now()
		b.atOnce(t)
		status, body := heard(t, lateReader{conn})
		b.witness.heard("r", http.MethodPost, status, body)
		if body != answer {
			t.Errorf("%d bytes arrived, other than the %d sent", len(body), len(answer))
		}
		if took := time.Since(began); took < 3*writeDeadline {
			t.Errorf("it took %s, which shows nothing", took)
		}
	})
}

// A lateReader reads 4 KiB a second.
type lateReader struct{ net.Conn }

func (c lateReader) Read(p []byte) (int, error) {
	<-time.After(time.Second)
	return c.Conn.Read(p[:min(len(p), 4<<10)])
}

// Row L04, the body; cmd/signet has the headers.
func TestFault_L04_ABodyThatComesTooSlowlyIsGivenUp(t *testing.T) {
	for name, test := range map[string]struct {
		first, each int // bytes at once, and then each second
		after       time.Duration
		status      int
	}{
		"nothing":               {0, 0, bodyHead, 408},
		"a byte a second":       {0, 1, bodyHead, 408},
		"a quick start, no end": {20 << 10, 0, bodyDeadline, 408},
		"the least, for ever":   {1 << 10, 1 << 10, bodyDeadline, 408},
		"slow but in time":      {0, 40 << 10, 25 * time.Second, 200},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := false
				b := beside(t, func(w http.ResponseWriter, r *http.Request) { asked = true; answering(callAnswer)(w, r) }, nil)
				body := callBody + strings.Repeat(" ", 1000<<10-len(callBody))
				conn, began := b.speak(t, rawHead+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body[:test.first])), time.Now()
				go func() {
					for rest := body[test.first:]; rest != "" && test.each > 0; rest = rest[min(len(rest), test.each):] {
						<-time.After(time.Second)
						if _, err := io.WriteString(conn, rest[:min(len(rest), test.each)]); err != nil {
							return
						}
					}
				}()
				synctest.Wait()
				b.atOnce(t)
				status, said := heard(t, conn)
				b.witness.heard("r", http.MethodPost, status, said)
				took := time.Since(began).Truncate(time.Second)
				if status != test.status || took != test.after || asked != (status == 200) {
					t.Errorf("%d %s after %s, want %d after %s", status, said, took, test.status, test.after)
				}
				if status == 408 && !strings.Contains(said, `"reason":"slow_body"`) {
					t.Error(said)
				}
			})
		})
	}
}

// Row L04: two thousand at once, and a control that needs what they hold.
func TestFault_L04_ManySlowBodiesHoldUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 2000
		b := beside(t, func(http.ResponseWriter, *http.Request) { t.Error("it reached the upstream") },
			func(r *config.Route) { r.Limits.Calls = 1 })
		answers := make(chan int, clients)
		for range clients {
			conn := b.speak(t, rawHead+"Content-Length: 100\r\n\r\n{")
			go func() {
				status, said := heard(t, conn)
				b.witness.heard("r", http.MethodPost, status, said)
				answers <- status
			}()
		}
		synctest.Wait()
		if n := b.gateway.current.Load().routes["r"].flight.count(); n != clients {
			t.Fatalf("%d are there at once", n)
		}
		b.atOnce(t)
		for range clients {
			if status := <-answers; status != 408 {
				t.Errorf("status %d", status)
			}
		}
		b.idle(t)
	})
}

// Row L06, of a client that sends on whatever it is told.
func TestFault_L06_OfABodyThatIsTooLargeLittleIsRead(t *testing.T) {
	const limit, sent = 4 << 20, 5 << 20
	for name, test := range map[string]struct {
		framing string
		most    int64
	}{
		"declared": {fmt.Sprintf("Content-Length: %d\r\n\r\n", sent), 64 << 10},
		"chunked":  {fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", sent), limit + 64<<10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := beside(t, func(http.ResponseWriter, *http.Request) { t.Error("it reached the upstream") }, nil)
				conn, err := b.net.dial(t.Context(), "tcp", "127.0.0.1:8484")
				if err != nil {
					t.Fatal(err)
				}
				wrote := make(chan int64, 1)
				go func() {
					head, _ := io.WriteString(conn, rawHead+test.framing)
					n, _ := io.Copy(conn, io.LimitReader(endless{}, sent))
					wrote <- int64(head) + n
				}()
				status, body := heard(t, conn)
				b.witness.heard("r", http.MethodPost, status, body)
				if status != 413 || !strings.Contains(body, `"code":-31025`) {
					t.Errorf("%d %s", status, body)
				}
				b.atOnce(t)
				if n := <-wrote; n > test.most { // it ends because the gateway has closed the connection
					t.Errorf("%d bytes were read, want at most %d", n, test.most)
				}
				b.idle(t)
			})
		})
	}
}

// endless is spaces for ever.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
