package sandbox

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestServerOfTheLegacyEra(t *testing.T) {
	_, url := open(t, MCPOptions{Name: "m", Era: Legacy})
	status, header, body := ask(t, url, "POST", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}`)
	session := header.Get("Mcp-Session-Id")
	if status != 200 || session == "" || !strings.Contains(body, `"protocolVersion":"2025-06-18"`) || !strings.Contains(body, `"serverInfo":{"name":"m"`) {
		t.Fatalf("initialize: %d %v %s", status, header, body)
	}
	for _, x := range []exchange{
		{"POST", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, 202, ""},
		{"POST", `{"jsonrpc":"2.0","id":9,"result":{}}`, 202, ""},
		{"POST", `{"jsonrpc":"2.0","id":2,"method":"ping"}`, 200, `"id":2,"result":{}`},
		{"POST", `{"jsonrpc":"2.0","id":3,"method":"tools/list"}`, 200, `"name":"echo"`},
		{"POST", `{"jsonrpc":"2.0","id":4,"method":"nope"}`, 200, `"code":-32601`},
		{"POST", `{`, 400, `-32700`},
		{"PUT", ``, 405, ``},
		{"DELETE", ``, 204, ``},
		{"POST", `{"jsonrpc":"2.0","id":6,"method":"ping"}`, 404, `Session not found`},
		{"GET", ``, 404, `Session not found`},
		{"DELETE", ``, 404, `Session not found`},
	} {
		x.check(t, url, "Mcp-Session-Id", session)
	}
	// A client without a session, or with one of its own, is another one, and goes on.
	exchange{"DELETE", ``, 404, `Session not found`}.check(t, url)
	exchange{"POST", `{"jsonrpc":"2.0","id":7,"method":"ping"}`, 200, `"result":{}`}.check(t, url)
	exchange{"POST", `{"jsonrpc":"2.0","id":8,"method":"ping"}`, 200, `"result":{}`}.check(t, url, "Mcp-Session-Id", "its own")
}

func TestServerThatRequiresSessionsTakesOnlyItsOwn(t *testing.T) {
	_, url := open(t, MCPOptions{Sessions: true})
	ping := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	_, header, _ := ask(t, url, "POST", `{"jsonrpc":"2.0","id":1,"method":"initialize"}`)
	exchange{"POST", ping, 200, `"result":{}`}.check(t, url, "Mcp-Session-Id", header.Get("Mcp-Session-Id"))
	exchange{"POST", ping, 400, `required`}.check(t, url)
	exchange{"POST", ping, 404, `-32001`}.check(t, url, "Mcp-Session-Id", "never-given")
	exchange{"GET", ``, 404, `-32001`}.check(t, url, "Mcp-Session-Id", "never-given")
	exchange{"DELETE", ``, 404, `-32001`}.check(t, url, "Mcp-Session-Id", "never-given")
	exchange{"POST", `{"jsonrpc":"2.0","id":1,"method":"server/discover"}`, 200, `complete`}.check(t, url, "MCP-Protocol-Version", "2026-07-28")
}

func TestLegacyServerKnowsItsVersions(t *testing.T) {
	_, url := open(t, MCPOptions{Era: Legacy})
	for version, x := range map[string]exchange{
		"2025-03-26": {"POST", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, 200, `"result"`},
		"2025-11-25": {"POST", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, 200, `"result"`},
		"1999-01-01": {"POST", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, 400, `Unsupported`},
		"2026-07-28": {"POST", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, 400, `"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2025-11-25",`},
	} {
		x.check(t, url, "MCP-Protocol-Version", version)
	}
	// An initialize asks for what it wants, and gets what there is.
	exchange{"POST", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2030-01-01"}}`, 200, `"protocolVersion":"2025-11-25"`}.
		check(t, url, "MCP-Protocol-Version", "2026-07-28")
}

func TestAStandingStreamLastsAsLongAsItsSession(t *testing.T) {
	_, url := open(t, MCPOptions{})
	_, header, _ := ask(t, url, "POST", `{"jsonrpc":"2.0","id":1,"method":"initialize"}`)
	session := header.Get("Mcp-Session-Id")
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Mcp-Session-Id", session)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %v", response.StatusCode, response.Header)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.ReadAll(response.Body)
		ended <- err
	}()
	exchange{"POST", `{"jsonrpc":"2.0","id":2,"method":"ping"}`, 200, `"result":{}`}.check(t, url, "Mcp-Session-Id", session)
	select {
	case err := <-ended:
		t.Fatalf("it ended before its session: %v", err)
	default:
	}
	exchange{"DELETE", ``, 204, ``}.check(t, url, "Mcp-Session-Id", session)
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it outlives its session")
	}
}

func TestServerAsksTheClientWhileACallRuns(t *testing.T) {
	for reply, want := range map[string]string{
		`"result":{"action":"accept"}`:              `{\"action\":\"accept\"}`,
		`"error":{"code":-32601,"message":"never"}`: `\"message\":\"never\"`,
	} {
		_, url := open(t, MCPOptions{})
		response, err := http.Post(url, "application/json", strings.NewReader(toolCall(1, "elicit", `{}`)))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		lines := bufio.NewScanner(response.Body)
		data := func() string {
			for lines.Scan() {
				if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
					return data
				}
			}
			return ""
		}
		var question struct {
			ID     json.RawMessage
			Method string
		}
		if err := json.Unmarshal([]byte(data()), &question); err != nil || question.Method != "elicitation/create" {
			t.Fatalf("%v %+v", err, question)
		}
		exchange{"POST", fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,%s}`, question.ID, reply), 202, ""}.check(t, url)
		if answer := data(); !strings.Contains(answer, want) || !strings.Contains(answer, `"id":1`) {
			t.Errorf("the result does not hold the answer: %s", answer)
		}
	}
}
