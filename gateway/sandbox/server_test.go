package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// toolCall is a tools/call.
func toolCall(id int, tool, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, tool, arguments)
}

// inMemory starts a server that nobody need sign for, in the bubble of the test.
func inMemory(t *testing.T) (*Sandbox, *Server, *pipe) {
	t.Helper()
	s, p := New(Options{}), newPipe()
	server := s.MCP(MCPOptions{Name: "m"})
	server.Serve(p)
	return s, server, p
}

// post is a POST on the wire.
func post(body string) string {
	return fmt.Sprintf("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func dial(t *testing.T, p *pipe) net.Conn {
	t.Helper()
	conn, err := p.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestDelaysTakeExactlyTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, p := inMemory(t)
		defer s.Close()
		client := p.client()
		defer client.CloseIdleConnections()
		began := time.Now()
		response, err := client.Post("http://h/", "application/json", strings.NewReader(toolCall(1, "delay", `{"ms":3600000}`)))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if took := time.Since(began); took != time.Hour {
			t.Errorf("an hour took %s", took)
		}
	})
}

func TestEventsLeaveWhenTheyAreDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, p := inMemory(t)
		defer s.Close()
		client := p.client()
		defer client.CloseIdleConnections()
		began := time.Now()
		response, err := client.Post("http://h/", "application/json", strings.NewReader(toolCall(1, "events", `{"count":3,"every_ms":1000,"bytes":9}`)))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		var at []time.Duration
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "data: ") {
				at = append(at, time.Since(began))
			}
		}
		if want := fmt.Sprint([]time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second}); fmt.Sprint(at) != want {
			t.Errorf("events at %v, want %s", at, want)
		}
	})
}

func TestAClientThatLeavesIsNoticedAtOnce(t *testing.T) {
	for _, call := range []string{
		toolCall(1, "delay", `{"call":"c","ms":3600000}`), toolCall(1, "events", `{"call":"c","count":2,"every_ms":3600000}`), toolCall(1, "elicit", `{"call":"c"}`),
		toolCall(1, "events", `{"call":"c","count":1000,"bytes":1000}`),
	} {
		synctest.Test(t, func(t *testing.T) {
			s, _, p := inMemory(t)
			defer s.Close()
			began := time.Now()
			conn := dial(t, p)
			if _, err := io.WriteString(conn, post(call)); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(call, "events") || strings.Contains(call, "elicit") {
				_, _ = conn.Read(make([]byte, 20)) // it has begun to answer
			}
			synctest.Wait()
			if calls := s.Ledger().Calls(); len(calls) != 1 || calls[0].Cancelled != 0 {
				t.Errorf("before: %+v", calls)
			}
			_ = conn.Close()
			synctest.Wait()
			if calls := s.Ledger().Calls(); calls[0].Cancelled != 1 || calls[0].Executions != 1 || time.Since(began) != 0 {
				t.Errorf("%s: %+v after %s", call, calls, time.Since(began))
			}
		})
	}
}

func TestARequestSentWhileAToolRunsIsAnsweredAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, server, p := inMemory(t)
		defer s.Close()
		conn := dial(t, p)
		defer func() { _ = conn.Close() }()
		go func() {
			_, _ = io.WriteString(conn, post(toolCall(1, "delay", `{"call":"a","ms":1000}`))+post(toolCall(2, "echo", `{"call":"b"}`)))
		}()
		from := bufio.NewReader(conn)
		for _, want := range []string{`"id":1`, `"id":2`} {
			response, err := http.ReadResponse(from, nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, _ := io.ReadAll(response.Body); !strings.Contains(string(body), want) {
				t.Errorf("%s, want %s", body, want)
			}
		}
		if calls := s.Ledger().Calls(); len(calls) != 2 || calls[0].Cancelled+calls[1].Cancelled != 0 || server.Accepted() != 1 {
			t.Errorf("%+v", calls)
		}
	})
}

// synctest fails a test that leaves a goroutine behind.
func TestCloseEndsWhateverRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, server, p := inMemory(t)
		for _, wire := range []string{
			"", "POST / HT", post(toolCall(1, "delay", `{"ms":3600000}`)), post(toolCall(1, "elicit", `{}`)),
			post(toolCall(1, "events", `{"count":9,"bytes":100000}`)), "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		} {
			conn := dial(t, p)
			defer func() { _ = conn.Close() }()
			if _, err := io.WriteString(conn, wire); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		s.Close()
		if _, err := p.dial(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		late := newPipe()
		server.Serve(late)
		if _, err := late.dial(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a listener handed over after Close: %v", err)
		}
	})
}

func TestMalformedRequestsAreAnsweredAndEndTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, p := inMemory(t)
		defer s.Close()
		conn := dial(t, p)
		go func() {
			_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
		}()
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || !strings.Contains(string(answer), "Connection: close") {
			t.Errorf("%v %s", err, answer)
		}
	})
}

func TestAConnectionIsKeptUntilTheClientWantsItClosed(t *testing.T) {
	s := New(Options{})
	t.Cleanup(s.Close)
	server := s.MCP(MCPOptions{})
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	ids := map[string]bool{}
	ping := func(last bool) {
		t.Helper()
		body := io.MultiReader(strings.NewReader(`{"jsonrpc":"2.0","id":1,`), strings.NewReader(`"method":"ping"}`)) // in chunks
		r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL(), body)
		if err != nil {
			t.Fatal(err)
		}
		r.Close = last
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if !strings.Contains(string(text), `"result":{}`) {
			t.Errorf("%s", text)
		}
		ids[response.Header.Get("x-amzn-requestid")] = true
	}
	for range 5 {
		ping(false)
	}
	if n := server.Accepted(); n != 1 {
		t.Errorf("%d connections for 5 requests in a row", n)
	}
	if len(ids) != 5 || ids[""] {
		t.Errorf("5 answers with the request ids %v", ids)
	}
	ping(true)
	ping(false)
	if n := server.Accepted(); n != 2 {
		t.Errorf("%d connections, want a second one after the first was closed", n)
	}
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if !pause(ctx, 0) || !pause(ctx, time.Nanosecond) {
		t.Error("a pause that nothing ends was ended")
	}
	cancel()
	if pause(ctx, 0) || pause(ctx, time.Hour) {
		t.Error("a pause outlives its context")
	}
}
