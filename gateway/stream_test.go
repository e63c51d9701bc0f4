package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

const (
	callBody   = `{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"slow","arguments":{"a":"ArGuMeNt7f3a"}}}`
	callAnswer = `{"jsonrpc":"2.0","id":9007199254740993,"result":{"content":["ReSuLt7f3a"]}}`
	progress   = `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}`
)

// event is data as an upstream sends it.
func event(data string) string { return "event: message\ndata: " + data + "\n\n" }

// events starts an event stream and returns what sends one event.
func events(w http.ResponseWriter) func(string) {
	w.Header().Set("Content-Type", "text/event-stream")
	return func(s string) {
		_, _ = io.WriteString(w, s)
		_ = http.NewResponseController(w).Flush()
	}
}

// alone starts a bench with one unsigned route, "r", to h.
func alone(t *testing.T, h http.HandlerFunc, change func(*config.Route)) *bench {
	t.Helper()
	n := newNetwork()
	r := plain(upstream(t, n, "up.test", h))
	if change != nil {
		change(&r)
	}
	return newBench(t, n, settings(map[string]config.Route{"r": r}), Options{})
}

func TestStreamEventsArriveWithoutAddedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, func(w http.ResponseWriter, _ *http.Request) {
			send := events(w)
			<-time.After(3 * time.Second)
			send(event(progress))
			<-time.After(5 * time.Second)
			send(event(callAnswer))
		}, nil)
		began := time.Now()
		response, err := b.client.Do(request(t, "r", callBody))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		lines := bufio.NewReader(response.Body)
		for _, want := range []time.Duration{3 * time.Second, 8 * time.Second} {
			for range 3 {
				if _, err := lines.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			if got := time.Since(began); got != want {
				t.Errorf("an event sent after %s arrived after %s", want, got)
			}
		}
		if got := response.Header.Get("X-Accel-Buffering"); got != "no" {
			t.Errorf("X-Accel-Buffering = %q: nginx would hold the stream back", got)
		}
	})
}

func TestStreamHeadersArriveBeforeTheFirstEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, func(w http.ResponseWriter, _ *http.Request) {
			send := events(w)
			send("")
			<-time.After(time.Minute)
			send(event(callAnswer))
		}, nil)
		began := time.Now()
		response, err := b.client.Do(request(t, "r", callBody))
		if err != nil {
			t.Fatal(err)
		}
		if got := time.Since(began); got != 0 {
			t.Errorf("the headers took %s", got)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	})
}

func TestStreamNeverEndsWithoutAnAnswer(t *testing.T) {
	hijack := func(w http.ResponseWriter, raw string) {
		conn, buffer, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = buffer.WriteString("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + raw)
		_ = buffer.Flush()
		_ = conn.Close()
	}
	chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
	broken := `{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":-31005,`
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    string // before the terminal message
		code    string // begins the terminal message; "" for none of ours
	}{
		"orderly end without an answer": {func(w http.ResponseWriter, _ *http.Request) { events(w)(event(progress)) }, event(progress), broken},
		"end before any event":          {func(w http.ResponseWriter, _ *http.Request) { events(w)("") }, "", broken},
		"connection lost between events": {func(w http.ResponseWriter, _ *http.Request) {
			hijack(w, chunk(event(progress)))
		}, event(progress), broken},
		"connection lost inside an event": {func(w http.ResponseWriter, _ *http.Request) {
			hijack(w, chunk(event(progress)+"event: message\ndata: {\"jsonrpc\""))
		}, event(progress), broken},
		"another call's answer": {func(w http.ResponseWriter, _ *http.Request) {
			events(w)(event(`{"jsonrpc":"2.0","id":9007199254740992,"result":{}}`))
		}, event(`{"jsonrpc":"2.0","id":9007199254740992,"result":{}}`), broken},
		"a question with the call's id": {func(w http.ResponseWriter, _ *http.Request) {
			events(w)(event(`{"jsonrpc":"2.0","id":9007199254740993,"method":"elicitation/create"}`))
		}, event(`{"jsonrpc":"2.0","id":9007199254740993,"method":"elicitation/create"}`), broken},
		"lost after the answer": {func(w http.ResponseWriter, _ *http.Request) {
			hijack(w, chunk(event(callAnswer)+"data: half"))
		}, event(callAnswer), ""},
		"silent": {func(w http.ResponseWriter, r *http.Request) {
			events(w)(event(progress))
			<-r.Context().Done()
		}, event(progress), broken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := alone(t, test.handler, nil)
				_, body := b.post(t, "r", callBody)
				rest, ok := strings.CutPrefix(strings.ReplaceAll(body, comment, ""), test.want)
				if !ok {
					t.Fatalf("got %q, want it to begin with %q", body, test.want)
				}
				if want := "event: message\ndata: " + test.code; test.code != "" && (!strings.HasPrefix(rest, want) || !strings.HasSuffix(rest, "\n\n")) {
					t.Errorf("the last event is %q, want %s...", rest, want)
				}
				if test.code == "" && rest != "" {
					t.Errorf("%q after the answer", rest)
				}
			})
		})
	}
}

func TestStreamThatCanBeResumedEndsAsTheUpstreamEndedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, func(w http.ResponseWriter, _ *http.Request) { events(w)("id: 7\ndata:\n\n") }, nil)
		for version, clean := range map[string]bool{"2025-11-25": true, "2025-06-18": false, "2026-07-28": false, "": false} {
			r := request(t, "r", callBody)
			r.Header.Set("MCP-Protocol-Version", version)
			_, body := b.do(t, r)
			if got := body == "id: 7\ndata:\n\n"; got != clean {
				t.Errorf("%q: ends as it was ended: %v, want %v (%q)", version, got, clean, body)
			}
		}
	})
}

func TestStreamAnswersEveryRequestOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, func(w http.ResponseWriter, _ *http.Request) {
			events(w)(event(`{"jsonrpc":"2.0","id":1,"result":{}}`))
		}, nil)
		_, body := b.post(t, "r", `[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":"b","method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"}]`)
		if !strings.Contains(body, `"id":"b","error":{"code":-31005`) || strings.Count(body, `"error"`) != 1 {
			t.Errorf("got %q, want an error for b alone", body)
		}
	})
}

func TestStreamStandingOnGetHasNoTimeoutAndNoLastWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, func(w http.ResponseWriter, _ *http.Request) {
			send := events(w)
			<-time.After(24 * time.Hour)
			send(event(progress))
		}, nil)
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8484/r", nil)
		r.Header.Set("Accept", "text/event-stream")
		if _, body := b.do(t, r); body != event(progress) {
			t.Errorf("got %q", body)
		}
	})
}

func TestStreamBigEventsArriveByteEqual(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 32 MiB")
	}
	for _, size := range []int{1 << 20, 15 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			answer := `{"jsonrpc":"2.0","id":9007199254740993,"result":"` + strings.Repeat("ä\\u00e9x", size/9) + `"}`
			b := alone(t, func(w http.ResponseWriter, _ *http.Request) { events(w)(event(answer)) }, nil)
			if _, body := b.post(t, "r", callBody); body != event(answer) {
				t.Errorf("%d bytes arrived, other than the %d sent", len(body), len(event(answer)))
			}
		})
	}
}

func TestStreamOfAnEndlessEventIsEnded(t *testing.T) {
	b := alone(t, func(w http.ResponseWriter, _ *http.Request) {
		send := events(w)
		for range 18 {
			send(strings.Repeat("data: "+strings.Repeat("x", 1017)+"\n", 1024))
		}
	}, nil)
	if _, body := b.post(t, "r", callBody); !strings.HasPrefix(body, "event: message\ndata: "+`{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":-31025,`) {
		t.Errorf("got %.200q", body)
	}
}

func TestStreamsAreNeverCutByAnUpstreamThatAnswersEarly(t *testing.T) {
	// golang/go#40747: through httputil.ReverseProxy 0.1-1.8 % of these are cut after the first event.
	const calls, workers = 20_000, 8
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		send := events(w)
		send(event(progress))
		send(event(callAnswer))
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	front := overTCP(t, settings(map[string]config.Route{"r": plain("http://" + l.Addr().String() + "/mcp")}))
	want := event(progress) + event(callAnswer)
	body := strings.Replace(callBody, `"slow"`, `"slow","arguments":{"pad":"`+strings.Repeat("x", 8<<10)+`"}`, 1)
	bad := make(chan string, workers)
	for range workers {
		go func() {
			for range calls / workers {
				response, err := front.Post("http://"+front.address+"/r", "application/json", strings.NewReader(body))
				if err != nil {
					bad <- err.Error()
					return
				}
				got, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err != nil || string(got) != want {
					bad <- fmt.Sprintf("%v: %q", err, got)
					return
				}
			}
			bad <- ""
		}()
	}
	for range workers {
		if what := <-bad; what != "" {
			t.Error(what)
		}
	}
}
