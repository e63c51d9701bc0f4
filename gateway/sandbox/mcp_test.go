package sandbox

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// ask sends a message to an unsigned server and returns status, headers and body.
func ask(t *testing.T, url, method, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

func open(t *testing.T, o MCPOptions) (*Sandbox, string) {
	t.Helper()
	s := New(Options{})
	t.Cleanup(s.Close)
	return s, s.MCP(o).URL() + "/mcp"
}

// An exchange is a message to a server and what it must answer.
type exchange struct {
	method, body string
	status       int
	has          string
}

func (x exchange) check(t *testing.T, url string, header ...string) {
	t.Helper()
	status, _, body := ask(t, url, x.method, x.body, header...)
	if status != x.status || !strings.Contains(body, x.has) {
		t.Errorf("%s %s %v: %d %s; want %d with %s", x.method, x.body, header, status, body, x.status, x.has)
	}
}

func TestServerRefusesAsAWSDoes(t *testing.T) {
	s, url := open(t, MCPOptions{Name: "m", Service: "svc", Region: "eu-west-1", Clock: time.Hour})
	before := time.Now().Add(time.Hour).Truncate(time.Second)
	status, header, body := ask(t, url, "POST", `{}`)
	if status != 403 || header.Get("x-amzn-errortype") != "MissingAuthenticationTokenException" || body != `{"message":"Missing Authentication Token"}` {
		t.Errorf("%d %v %s", status, header, body)
	}
	if at, err := http.ParseTime(header.Get("Date")); err != nil || at.Before(before) {
		t.Errorf("its clock is an hour ahead, and it says %s, not after %s: %v", at, before, err)
	}
	if header.Get("x-amzn-requestid") == "" || header.Get("Content-Type") != "application/json" {
		t.Errorf("%v", header)
	}
	if refused := s.Ledger().Refused(); len(refused) != 1 || refused["MissingAuthenticationTokenException"] != 1 || len(s.Ledger().Requests()) != 0 {
		t.Errorf("%v %v", refused, s.Ledger().Requests())
	}
}

func TestServerSpeaksBothErasAtOneURL(t *testing.T) {
	_, url := open(t, MCPOptions{})
	for _, x := range []exchange{
		{"POST", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`, 200, `"protocolVersion":"2025-11-25"`},
		{"POST", `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`, 200, `"result":{"tools":`},
		{"POST", `{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`, 200, `"resultType":"complete"`},
		{"POST", `{"jsonrpc":"2.0","id":4,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`, 200,
			`"supportedVersions":["2026-07-28","2025-11-25","2025-06-18","2025-03-26"]`},
		{"POST", `{"jsonrpc":"2.0","id":5,"method":"server/discover"}`, 200, `-32601`},
	} {
		x.check(t, url)
	}
}

func TestServerStreamsEveryCallWhereAskedTo(t *testing.T) {
	_, url := open(t, MCPOptions{Stream: true})
	status, header, body := ask(t, url, "POST", toolCall(1, "echo", `{"text":"hi"}`))
	if status != 200 || header.Get("Content-Type") != "text/event-stream" || !strings.HasPrefix(body, "event: message\ndata: {") || !strings.HasSuffix(body, "}\n\n") {
		t.Errorf("%d %v %q", status, header, body)
	}
	if _, header, _ := ask(t, url, "POST", `{"jsonrpc":"2.0","id":2,"method":"ping"}`); header.Get("Content-Type") != "application/json" {
		t.Errorf("a ping: %v", header)
	}
}
