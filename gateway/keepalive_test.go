package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/envelope"
)

// slowly serves a stream's pieces, each so long after the last.
func slowly(gap time.Duration, pieces ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		send := events(w)
		send("")
		for _, piece := range pieces {
			select {
			case <-time.After(gap):
			case <-r.Context().Done():
				return
			}
			send(piece)
		}
	}
}

// standingGet asks for a route's own stream.
func standingGet(t *testing.T, route string) *http.Request {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8484/"+route, nil))
	r.Header.Set("Accept", "text/event-stream")
	return r
}

func TestKeepaliveIsACommentAfterEachSilence(t *testing.T) {
	for every, want := range map[time.Duration]string{
		15 * time.Second: strings.Repeat(comment, 2) + event(progress) + strings.Repeat(comment, 2) + event(callAnswer),
		35 * time.Second: strings.Repeat(comment, 1) + event(progress) + strings.Repeat(comment, 1) + event(callAnswer),
		45 * time.Second: event(progress) + event(callAnswer),
		0:                event(progress) + event(callAnswer),
	} {
		for _, r := range []func(*testing.T) *http.Request{
			func(t *testing.T) *http.Request { return request(t, "r", callBody) },
			func(t *testing.T) *http.Request { return standingGet(t, "r") },
		} {
			synctest.Test(t, func(t *testing.T) {
				b := alone(t, slowly(40*time.Second, event(progress), event(callAnswer)), func(r *config.Route) { r.Keepalive = every })
				if _, body := b.do(t, r(t)); body != want {
					t.Errorf("every %s: %q, want %q", every, body, want)
				}
			})
		}
	}
}

// The deadline of a write to an HTTP/2 client ends the stream when it passes, however long ago the write was over.
func TestSilenceEndsNoStreamOverHTTP2(t *testing.T) {
	long := `{"jsonrpc":"2.0","id":1,"result":"` + strings.Repeat("x", 2*maxHeld) + `"}`
	for what, h := range map[string]http.HandlerFunc{
		event(progress) + event(callAnswer): slowly(40*time.Second, event(progress), event(callAnswer)),
		long: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for piece := range slices.Chunk([]byte(long), len(long)*3/4) {
				_, _ = w.Write(piece)
				_ = http.NewResponseController(w).Flush()
				<-time.After(40 * time.Second)
			}
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := alone(t, h, func(r *config.Route) { r.Keepalive = 0 })
			overHTTP2(t, b)
			if response, body := b.post(t, "r", callBody); body != what || response.ProtoMajor != 2 {
				t.Errorf("%s: %d bytes, want %d", response.Proto, len(body), len(what))
			}
		})
	}
}

// overHTTP2 has the client of b speak HTTP/2 to the gateway.
func overHTTP2(t *testing.T, b *bench) {
	t.Helper()
	const address = "127.0.0.1:8485"
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: b.gateway, Protocols: &protocols}
	l := b.net.listen(t, address)
	go func() { _ = server.Serve(l) }()
	transport := &http.Transport{Protocols: &protocols, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return b.net.dial(ctx, network, address)
	}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
	})
	b.client.Transport = transport
}

func TestKeepaliveBeginsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-time.After(time.Minute)
			answering(callAnswer)(w, r)
		}, nil)
		if response, body := b.post(t, "r", callBody); body != callAnswer || response.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v %q", response.Header, body)
		}
	})
}

func TestKeepaliveDoesNotHoldOffTheIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, func(w http.ResponseWriter, r *http.Request) { events(w)(event(progress)); <-r.Context().Done() }, nil)
		began := time.Now()
		_, body := b.post(t, "r", callBody)
		comments := strings.Count(body, comment) // the twentieth is due when the time is up, and either may be first
		if took := time.Since(began); took != 300*time.Second || comments < 19 || comments > 20 || !strings.Contains(body, `"code":-31005`) {
			t.Errorf("after %s: %q", took, body)
		}
	})
}

// Wherever an upstream stops in the middle of an event, the client's events are those that were sent, and of the
// bytes nothing but our comments is new.
func TestKeepaliveStandsBetweenEventsAlone(t *testing.T) {
	files, err := filepath.Glob("testdata/exchanges/*stream*.txtar")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d streams, %v", len(files), err)
	}
	comments := 0
	for _, file := range files {
		synctest.Test(t, func(t *testing.T) {
			e := readExchange(t, file)
			if e.header.Get("Content-Type") != "text/event-stream" {
				return
			}
			b := alone(t, func(w http.ResponseWriter, r *http.Request) {
				slowly(20*time.Second, strings.Split(e.body, "")...)(w, r)
			}, func(r *config.Route) { r.Timeouts.Call, r.Timeouts.Idle = 0, 0 })
			r := request(t, "r", e.request)
			r.Header.Set("MCP-Protocol-Version", e.version)
			_, body := b.do(t, r)
			comments += strings.Count(body, comment)
			if got := strings.ReplaceAll(body, comment, ""); got != e.body {
				t.Errorf("%s: %q of %q", file, got, e.body)
			}
			if got, want := parsed(t, body), parsed(t, e.body); got != want {
				t.Errorf("%s: a client reads\n%s\nof\n%s", file, got, want)
			}
		})
	}
	if comments < 1000 {
		t.Errorf("%d comments prove nothing", comments)
	}
}

// parsed is what a client makes of a stream.
func parsed(t *testing.T, stream string) string {
	t.Helper()
	var b strings.Builder
	for all := envelope.NewEvents(bytes.NewReader([]byte(stream)), maxEvent); ; {
		e, err := all.Next()
		if err != nil {
			return b.String()
		}
		if e.Data != nil || e.HasID {
			b.WriteString(fmt.Sprintf("%q %q %q %v\n", e.Type, e.Data, e.ID, e.HasID))
		}
	}
}

func TestKeepaliveTakesTheByteOrderMarkWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, slowly(20*time.Second, byteOrderMark+event(progress), byteOrderMark+event(progress), event(callAnswer)), nil)
		want := comment + event(progress) + comment + byteOrderMark + event(progress) + comment + event(callAnswer)
		if _, body := b.post(t, "r", callBody); body != want {
			t.Errorf("%q, want %q", body, want)
		}
	})
}

func TestKeepaliveFindsOutThatAClientIsGone(t *testing.T) {
	for every, want := range map[time.Duration]time.Duration{15 * time.Second: 45 * time.Second, 0: time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			left := make(chan time.Duration, 1)
			n := newNetwork()
			o, spans := traced()
			r := plain(upstream(t, n, "up.test", func(w http.ResponseWriter, r *http.Request) {
				began := time.Now()
				events(w)("")
				select {
				case <-r.Context().Done():
				case <-time.After(time.Hour):
				}
				left <- time.Since(began)
			}))
			r.Keepalive = every
			b := newBench(t, n, settings(map[string]config.Route{"r": r}), o)
			conn, err := n.dial(t.Context(), "tcp", "127.0.0.1:8484")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			readHead(t, conn, standingGet(t, "r"))
			// It reads no more, and nothing says that it has gone: its network has.
			if took := <-left; took != want {
				t.Errorf("keepalive %s: the upstream was told after %s, want %s", every, took, want)
			}
			_ = conn.Close()
			synctest.Wait()
			if n := b.gateway.current.Load().routes["r"].flight.count(); n != 0 {
				t.Errorf("%d calls are under way", n)
			}
			if got := told(spans.GetSpans()[1], "signet.outcome", "error.type"); every > 0 && got != `server "GET" Unset signet.outcome=client_cancelled` {
				t.Error(got)
			}
		})
	}
}

// readHead sends a request on a connection and reads the response up to its body.
func readHead(t *testing.T, conn net.Conn, r *http.Request) {
	t.Helper()
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	var head []byte
	for one := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); {
		if _, err := conn.Read(one); err != nil {
			t.Fatal(err)
		}
		head = append(head, one...)
	}
}
