package sandbox

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func TestServerOfTheModernEra(t *testing.T) {
	_, url := open(t, MCPOptions{Name: "m", Era: Modern})
	for _, x := range []exchange{
		{"POST", `{"jsonrpc":"2.0","id":1,"method":"server/discover"}`, 200, `"supportedVersions":["2026-07-28"]`},
		{"POST", `{"jsonrpc":"2.0","id":1,"method":"server/discover"}`, 200, `"cacheScope":"private"`},
		{"POST", `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`, 200, `"resultType":"complete","tools":[`},
		{"POST", toolCall(2, "echo", `{"text":"hi"}`), 200, `"resultType":"complete","content":[`},
		{"POST", `{"jsonrpc":"2.0","method":"notifications/cancelled"}`, 202, ``},
		{"POST", `{"jsonrpc":"2.0","id":3,"method":"nope"}`, 404, `"code":-32601`},
		{"POST", `{"jsonrpc":"2.0","id":3,"method":"ping"}`, 404, `"code":-32601`},
		{"POST", `{"jsonrpc":"2.0","id":3,"result":{}}`, 400, `"code":-32600`},
		{"GET", ``, 405, ``}, {"DELETE", ``, 405, ``},
	} {
		x.check(t, url, "MCP-Protocol-Version", "2026-07-28", "Mcp-Session-Id", "is ignored")
	}
	for _, x := range []exchange{
		{"POST", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`, 400,
			`"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2026-07-28"],"requested":"2025-11-25"}`},
		{"POST", `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`, 400, `"code":-32022`},
		{"GET", ``, 405, ``}, {"DELETE", ``, 405, ``},
	} {
		x.check(t, url)
	}
	exchange{"POST", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, 400, `"requested":"2099-01-01"`}.check(t, url, "MCP-Protocol-Version", "2099-01-01")
}

func TestModernServerRefusesHeadersThatSayOtherThanTheBody(t *testing.T) {
	_, url := open(t, MCPOptions{})
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
	in64 := "=?base64?" + base64.StdEncoding.EncodeToString([]byte("echo")) + "?="
	for _, test := range []struct {
		header, value string
		status        int
		has           string
	}{
		{"MCP-Protocol-Version", "2026-07-28", 200, "complete"},
		{"MCP-Protocol-Version", "2025-11-25", 400, "-32020"},
		{"Mcp-Method", "tools/call", 200, "complete"},
		{"Mcp-Method", "tools/list", 400, "-32020"},
		{"Mcp-Name", "echo", 200, "complete"},
		{"Mcp-Name", in64, 200, "complete"},
		{"Mcp-Name", "fail", 400, "-32020"},
		{"Mcp-Name", "=?base64?!?=", 400, "-32020"},
		{"Mcp-Name", "=?base64?ZmFpbA==?=", 400, "-32020"},
	} {
		exchange{"POST", body, test.status, test.has}.check(t, url, test.header, test.value)
	}
}

func TestModernServerAsksByAnswering(t *testing.T) {
	s, url := open(t, MCPOptions{})
	call := func(id int, more string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"elicit","arguments":{"call":"c"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}%s}}`, id, more)
	}
	_, header, body := ask(t, url, "POST", call(1, ""))
	if !strings.Contains(body, `"resultType":"input_required","inputRequests":{"go_on":{"method":"elicitation/create"`) || header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v %s", header, body)
	}
	if calls := s.Ledger().Calls(); len(calls) != 0 {
		t.Errorf("a call that was not yet answered ran: %+v", calls)
	}
	reply := `,"inputResponses":{"go_on":{"action":"accept"}}`
	exchange{"POST", call(2, reply), 400, "-32602"}.check(t, url)
	exchange{"POST", call(3, reply+`,"requestState":"other"`), 400, "-32602"}.check(t, url)
	exchange{"POST", call(4, `,"inputResponses":{},"requestState":"`+askedState+`"`), 400, "-32602"}.check(t, url)
	exchange{"POST", call(5, reply+`,"requestState":"`+askedState+`"`), 200, `{\"action\":\"accept\"}`}.check(t, url)
}
