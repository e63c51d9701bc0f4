package observability

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"sync"
)

// traffic is one of each kind of call.
func (s *stage) traffic() {
	s.t.Helper()
	s.want("main", "echo", argument)
	s.want("main", "fail", `"isError":true`)
	s.want("main", "wrong", "-32602")
	s.want("main", "page", "-31003")
	s.want("main", "cut", "-31005")
	s.want("main", "expired", `"result"`)
	s.want("hasty", "hold", "-31002")
	<-s.upstream.reached
	s.want("keyless", "echo", "-31010")
	for range 3 {
		s.want("dead", "echo", "-31001") // the third is refused by the breaker
	}
	s.want("nowhere", "echo", "-31040")
	s.retried()
	s.session()
	s.leave()
	s.crowd()
}

// retried asks for what only reads, and is told to come later.
func (s *stage) retried() {
	s.t.Helper()
	if got := s.post(s.t.Context(), "main", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); !strings.Contains(got, `"tools"`) {
		s.t.Errorf("tools/list: %s", got)
	}
}

// session begins and ends one, with a standing stream, a notification and a batch in it.
func (s *stage) session() {
	s.t.Helper()
	const version = "2025-06-18"
	ctx := s.t.Context()
	begun, err := s.send(ctx, http.MethodPost, "main", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"`+version+`"}}`)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = begun.Body.Close()
	headers := []string{"Mcp-Session-Id", begun.Header.Get("Mcp-Session-Id"), "Mcp-Protocol-Version", version}
	if got := s.post(ctx, "main", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, headers...); !strings.HasPrefix(got, "202") {
		s.t.Errorf("a notification: %s", got)
	}
	batch := `[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]`
	if got := s.post(ctx, "main", batch, headers...); !strings.HasPrefix(got, "200 [") {
		s.t.Errorf("a batch: %s", got)
	}
	stream, err := s.send(ctx, http.MethodGet, "main", "", headers...)
	if err != nil {
		s.t.Fatal(err)
	}
	if line, err := bufio.NewReader(stream.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, "data:") {
		s.t.Errorf("a stream begins with %q, %v", line, err)
	}
	_ = stream.Body.Close()
	ended, err := s.send(ctx, http.MethodDelete, "main", "", headers...)
	if err != nil || ended.StatusCode/100 != 2 {
		s.t.Fatalf("DELETE: %+v, %v", ended, err)
	}
	_ = ended.Body.Close()
}

// leave calls what holds on, and goes.
func (s *stage) leave() {
	ctx, cancel := context.WithCancel(s.t.Context())
	var left sync.WaitGroup
	left.Go(func() { s.call(ctx, "main", "hold") })
	<-s.upstream.reached
	cancel()
	left.Wait()
}

// crowd has one call under way, one behind it and one for which there is no room.
func (s *stage) crowd() {
	s.t.Helper()
	drained := make(chan string, 2)
	hold := func() { drained <- s.call(s.t.Context(), "narrow", "hold") }
	go hold()
	<-s.upstream.reached
	go hold()
	await(s.t, "a call in the queue", func() bool {
		return value(s.scrape(), `signet_queue_length{signet_kind="call",signet_route="narrow"}`) == "1"
	})
	s.want("narrow", "echo", "queue_full")
	for range 2 {
		s.upstream.release <- struct{}{}
		if got := <-drained; !strings.Contains(got, `"result"`) {
			s.t.Errorf("a call that waited: %s", got)
		}
	}
	<-s.upstream.reached
}
