package gateway

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// speak sends raw bytes to a gateway in memory and returns the connection.
func (b *bench) speak(t *testing.T, raw string) net.Conn {
	t.Helper()
	conn, err := b.net.dial(t.Context(), "tcp", "127.0.0.1:8484")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() { _, _ = io.WriteString(conn, raw) }() // what is not read is not written
	return conn
}

// heard is the response on a connection.
func heard(t *testing.T, conn net.Conn) (int, string) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

const rawHead = "POST /r HTTP/1.1\r\nHost: 127.0.0.1:8484\r\nContent-Type: application/json\r\n"

// Row L06.
func TestFault_L06_ABodyIsReadWithinItsLimitHoweverItComes(t *testing.T) {
	const limit = 1000
	pad := func(n int) string { // a message of n bytes
		const frame = `{"jsonrpc":"2.0","id":1,"method":"x","params":{"x":""}}`
		return strings.Replace(frame, `"x":""`, `"x":"`+strings.Repeat("a", n-len(frame))+`"`, 1)
	}
	for name, test := range map[string]struct {
		raw  string
		want int
	}{
		"at the limit":           {rawHead + fmt.Sprintf("Content-Length: %d\r\n\r\n", limit) + pad(limit), 200},
		"one byte over":          {rawHead + fmt.Sprintf("Content-Length: %d\r\n\r\n", limit+1) + pad(limit+1), 413},
		"a length that is huge":  {rawHead + "Content-Length: 9000000000\r\n\r\n", 413},
		"chunks to the limit":    {rawHead + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", limit, pad(limit)), 200},
		"chunks over it":         {rawHead + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", limit+1, pad(limit+1)), 413},
		"an endless chunk":       {rawHead + "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n" + pad(2*limit), 413},
		"length and chunks":      {rawHead + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		"two lengths":            {rawHead + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400},
		"another coding":         {rawHead + "Transfer-Encoding: gzip\r\n\r\n", 501},
		"a space before a colon": {"POST /r HTTP/1.1\r\nHost: 127.0.0.1:8484\r\nContent-Length : 5\r\n\r\nabcde", 400},
		"two hosts":              {"POST /r HTTP/1.1\r\nHost: 127.0.0.1:8484\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n", 400},
		"no host":                {"POST /r HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int32
				b := alone(t, func(w http.ResponseWriter, r *http.Request) {
					calls.Add(1)
					if n, _ := io.Copy(io.Discard, r.Body); n > limit {
						t.Errorf("%d bytes got through", n)
					}
					answering(`{"jsonrpc":"2.0","id":1,"result":{}}`)(w, r)
				}, func(r *config.Route) { r.Limits.Body = limit })
				code, body := heard(t, b.speak(t, test.raw))
				if code != test.want || (calls.Load() == 1) != (test.want == 200) {
					t.Errorf("%d %s, %d calls; want %d", code, body, calls.Load(), test.want)
				}
				if code == 413 && !strings.Contains(body, `"code":-31025`) {
					t.Errorf("%s", body)
				}
			})
		})
	}
}

func TestBodyThatBreaksOffReachesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, func(http.ResponseWriter, *http.Request) { t.Error("it reached the upstream") }, nil)
		conn := b.speak(t, rawHead+"Content-Length: 100\r\n\r\n{\"jsonrpc\"")
		synctest.Wait()
		_ = conn.Close()
		synctest.Wait()
		if n := b.gateway.current.Load().routes["r"].flight.count(); n != 0 {
			t.Errorf("%d calls are still under way", n)
		}
	})
}

// longAnswer is JSON that is too long to be held.
func longAnswer() string {
	return `{"jsonrpc":"2.0","id":9007199254740993,"result":{"text":"` + strings.Repeat("é", maxHeld) + `"}}`
}

func TestLongAnswersArriveByteEqual(t *testing.T) {
	for name, chunked := range map[string]bool{"of known length": false, "of unknown length": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := alone(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					if !chunked {
						w.Header().Set("Content-Length", fmt.Sprint(len(longAnswer())))
					}
					_, _ = io.WriteString(w, longAnswer())
				}, nil)
				response, body := b.post(t, "r", callBody)
				if body != longAnswer() {
					t.Errorf("%d bytes, other than the %d sent", len(body), len(longAnswer()))
				}
				if known := response.ContentLength >= 0; known == chunked {
					t.Errorf("length known: %v", known)
				}
			})
		})
	}
}

func TestLongAnswersThatBreakOffDoNotLookWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, longAnswer())
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, nil)
		response, err := b.client.Do(request(t, "r", callBody))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		got, err := io.ReadAll(response.Body)
		if err == nil {
			t.Errorf("%d bytes ended as if that were all", len(got))
		}
		if !bytes.HasPrefix([]byte(longAnswer()), got) {
			t.Error("what came is not the beginning of what was sent")
		}
		synctest.Wait()
		if n := b.gateway.current.Load().routes["r"].flight.count(); n != 0 {
			t.Errorf("%d calls are still under way", n)
		}
		if n := b.gateway.current.Load().routes["r"].places.State().Calls.Running; n != 0 {
			t.Errorf("%d places are still taken", n)
		}
	})
}

func TestAnswersOfAnyWritingPassUntouched(t *testing.T) {
	for _, answer := range []string{
		`{"jsonrpc":"2.0","id":9007199254740993,"result":{"n":1e400,"big":9007199254740993,"é":"\u00e9\ud83d\ude00","a":1,"a":2}}`,
		" \n\t{\"id\" : 9007199254740993 ,\"result\":null , \"jsonrpc\":\"2.0\"}\r\n",
		`[{"jsonrpc":"2.0","id":9007199254740993,"result":{}},{"jsonrpc":"2.0","method":"notifications/x"}]`,
		`{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":-32000,"message":"theirs","data":{"x":[1.0]}}}`,
		`{"jsonrpc":"2.0","id":"other","result":{}}`,
		`{"unknown":true}`, `7`, `[]`,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := alone(t, answering(answer), nil)
			if response, body := b.post(t, "r", callBody); response.StatusCode != 200 || body != answer {
				t.Errorf("sent %q, got %d %q", answer, response.StatusCode, body)
			}
		})
	}
}

func TestKeptConnectionsServeAfterALongPause(t *testing.T) {
	// The deadline of a write once stayed on its connection and failed whatever came after it.
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Mcp-Name") == "stream" {
				send := events(w)
				send(event(progress))
				<-time.After(2 * writeDeadline)
				send(event(callAnswer))
				return
			}
			answering(callAnswer)(w, r)
		}, nil)
		for _, name := range []string{"", "stream", "", "stream", ""} {
			r := request(t, "r", callBody)
			r.Header.Set("Mcp-Name", name)
			if _, body := b.do(t, r); !strings.Contains(body, callAnswer) {
				t.Errorf("%q: %s", name, body)
			}
			<-time.After(2 * writeDeadline)
		}
		if n := b.net.dialed("127.0.0.1:8484"); n != 1 {
			t.Errorf("%d connections, want the one that was kept", n)
		}
	})
}

func TestAMethodWithoutAPathIsRefusedAsAMethod(t *testing.T) {
	for _, line := range []string{"CONNECT 127.0.0.1:8484", "CONNECT /r", "OPTIONS *"} {
		synctest.Test(t, func(t *testing.T) {
			b := alone(t, answering(callAnswer), nil)
			status, body := heard(t, b.speak(t, line+" HTTP/1.1\r\nHost: 127.0.0.1:8484\r\n\r\n"))
			if status != 405 || !strings.Contains(body, `"reason":"method"`) {
				t.Errorf("%s: %d %s", line, status, body)
			}
		})
	}
}
