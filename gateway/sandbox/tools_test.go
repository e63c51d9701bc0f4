package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestTools(t *testing.T) {
	s, url := open(t, MCPOptions{Name: "m"})
	call := func(id int, tool, arguments string) string {
		_, _, body := ask(t, url, "POST", toolCall(id, tool, arguments))
		return body
	}
	text := "a \"b\" \u2028 \n é"
	var answer struct {
		Result struct{ Content []struct{ Text string } }
	}
	body := call(1, "echo", fmt.Sprintf(`{"call":"c1","text":%s}`, quoted(text)))
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Result.Content[0].Text != text {
		t.Errorf("echo: %v %s", err, body)
	}
	if body := call(2, "size", `{"bytes":100000}`); !strings.Contains(body, `"`+strings.Repeat("x", 100_000)+`"`) {
		t.Errorf("size: %d bytes", len(body))
	}
	if body := call(3, "delay", `{"call":"c1","ms":1}`); !strings.Contains(body, "done") {
		t.Errorf("delay: %s", body)
	}
	if body := call(4, "fail", `{}`); !strings.Contains(body, `"isError":true`) {
		t.Errorf("fail: %s", body)
	}
	if body := call(5, "nope", `{}`); !strings.Contains(body, `"code":-32602`) {
		t.Errorf("an unknown tool: %s", body)
	}
	if twice := s.Ledger().Twice(); len(twice) != 1 || twice[0] != "c1" {
		t.Errorf("executed twice: %v, want c1", twice)
	}
	calls := s.Ledger().Calls()
	if len(calls) != 1 || calls[0].Executions != 2 || calls[0].Tool != "echo" || calls[0].Server != "m" {
		t.Errorf("%+v", calls)
	}
}

func TestEventsAreNotificationsAndThenTheResult(t *testing.T) {
	_, url := open(t, MCPOptions{})
	_, header, body := ask(t, url, "POST", `{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"events","arguments":{"count":3,"bytes":5},"_meta":{"progressToken":"tok"}}}`)
	if header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%v", header)
	}
	var want strings.Builder
	for n := range 3 {
		fmt.Fprintf(&want, "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":\"tok\",\"progress\":%d,\"message\":\"xxxxx\"}}\n\n", n+1)
	}
	want.WriteString("event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"3 events\"}]}}\n\n")
	if body != want.String() {
		t.Errorf("%s\nwant\n%s", body, want.String())
	}
}

func TestAStreamIsCutWhereAskedTo(t *testing.T) {
	_, url := open(t, MCPOptions{})
	for _, test := range []struct {
		cut, events int
		broken      bool
	}{{0, 6, false}, {2, 2, true}, {5, 5, true}, {6, 6, false}} {
		response, err := http.Post(url, "application/json", strings.NewReader(toolCall(1, "events", fmt.Sprintf(`{"count":5,"cut":%d}`, test.cut))))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if (err != nil) != test.broken || strings.Count(string(body), "data:") != test.events {
			t.Errorf("cut after %d: %v %q", test.cut, err, body)
		}
	}
}

func TestToolsRefuseWhatTheyCannotServe(t *testing.T) {
	s, url := open(t, MCPOptions{})
	for _, arguments := range []string{
		`{"call":"c","bytes":-1}`, `{"call":"c","bytes":1000000000000}`, `{"call":"c","count":-1}`, `{"call":"c","count":1000000000}`,
		`{"call":"c","ms":-1}`, `{"call":"c","ms":10000000000000}`, `{"call":"c","every_ms":-1}`, `{"call":"c","cut":-1}`,
	} {
		for _, tool := range []string{"size", "events", "delay"} {
			exchange{"POST", toolCall(1, tool, arguments), 200, `"code":-32602`}.check(t, url)
		}
	}
	if calls := s.Ledger().Calls(); len(calls) != 0 {
		t.Errorf("%+v", calls)
	}
}
