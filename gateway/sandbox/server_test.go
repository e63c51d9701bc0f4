package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
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

func TestServerOfTheLegacyEra(t *testing.T) {
	_, url := open(t, MCPOptions{Name: "m"})
	status, header, body := ask(t, url, "POST", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}`)
	session := header.Get("Mcp-Session-Id")
	if status != 200 || session == "" || !strings.Contains(body, `"protocolVersion":"2025-06-18"`) {
		t.Fatalf("initialize: %d %v %s", status, header, body)
	}
	for _, test := range []struct {
		method, body string
		status       int
		has          string
	}{
		{"POST", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, 202, ""},
		{"POST", `{"jsonrpc":"2.0","id":9,"result":{}}`, 202, ""},
		{"POST", `{"jsonrpc":"2.0","id":2,"method":"ping"}`, 200, `"id":2,"result":{}`},
		{"POST", `{"jsonrpc":"2.0","id":3,"method":"tools/list"}`, 200, `"name":"echo"`},
		{"POST", `{"jsonrpc":"2.0","id":4,"method":"nope"}`, 200, `"code":-32601`},
		{"POST", `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"nope"}}`, 200, `"code":-32602`},
		{"POST", `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"fail"}}`, 200, `"isError":true`},
		{"POST", `{`, 400, `-32700`},
		{"PUT", ``, 405, ``},
		{"DELETE", ``, 204, ``},
		{"POST", `{"jsonrpc":"2.0","id":6,"method":"ping"}`, 404, `Session not found`},
	} {
		status, _, body := ask(t, url, test.method, test.body, "Mcp-Session-Id", session)
		if status != test.status || !strings.Contains(body, test.has) {
			t.Errorf("%s %s: %d %s", test.method, test.body, status, body)
		}
	}
}

func TestServerOfTheModernEra(t *testing.T) {
	_, url := open(t, MCPOptions{Era: Modern})
	for _, test := range []struct {
		method, body string
		status       int
		has          string
	}{
		{"POST", `{"jsonrpc":"2.0","id":1,"method":"server/discover"}`, 200, `"supportedVersions":["2026-07-28"]`},
		{"POST", `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`, 200, `"resultType":"complete"`},
		{"POST", `{"jsonrpc":"2.0","id":3,"method":"nope"}`, 404, `"code":-32601`},
		{"GET", ``, 405, ``}, {"DELETE", ``, 405, ``},
	} {
		status, _, body := ask(t, url, test.method, test.body, "MCP-Protocol-Version", "2026-07-28")
		if status != test.status || !strings.Contains(body, test.has) {
			t.Errorf("%s %s: %d %s", test.method, test.body, status, body)
		}
	}
	if status, _, body := ask(t, url, "POST", `{"jsonrpc":"2.0","id":1,"method":"initialize"}`); status != 400 || !strings.Contains(body, "-32022") {
		t.Errorf("initialize: %d %s", status, body)
	}
	_, legacy := open(t, MCPOptions{Era: Legacy})
	if status, _, body := ask(t, legacy, "POST", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`); status != 400 || !strings.Contains(body, "-32022") {
		t.Errorf("a modern request to a legacy server: %d %s", status, body)
	}
}

func TestServerTools(t *testing.T) {
	s, url := open(t, MCPOptions{Name: "m"})
	call := func(id int, tool, arguments string) string {
		_, _, body := ask(t, url, "POST", fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, tool, arguments))
		return body
	}
	text := "a \"b\" \u2028 \n é"
	quoted, _ := json.Marshal(text)
	body := call(1, "echo", fmt.Sprintf(`{"call":"c1","text":%s}`, quoted))
	var answer struct {
		Result struct{ Content []struct{ Text string } }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Result.Content[0].Text != text {
		t.Errorf("echo: %v %s", err, body)
	}
	if body := call(2, "size", `{"bytes":100000}`); strings.Count(body, "x") < 100_000 {
		t.Errorf("size: %d bytes", len(body))
	}
	if body := call(3, "delay", `{"call":"c1","ms":1}`); !strings.Contains(body, "done") {
		t.Errorf("delay: %s", body)
	}
	if body := call(4, "events", `{"call":"c2","count":3,"every_ms":1,"bytes":5}`); strings.Count(body, "event: message\n") != 4 || !strings.HasSuffix(body, "\n\n") {
		t.Errorf("events: %q", body)
	}
	if twice := s.Ledger().Twice(); len(twice) != 1 || twice[0] != "c1" {
		t.Errorf("executed twice: %v, want c1", twice)
	}
	calls := s.Ledger().Calls()
	if len(calls) != 2 || calls[0].Executions != 2 || calls[1].Tool != "events" || calls[1].Server != "m" {
		t.Errorf("%+v", calls)
	}
}

func TestServerAsksTheClientWhileACallRuns(t *testing.T) {
	_, url := open(t, MCPOptions{})
	response, err := http.Post(url, "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"elicit"}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var m struct {
			ID     json.RawMessage
			Method string
		}
		if err := json.Unmarshal([]byte(data), &m); err != nil {
			t.Fatal(err)
		}
		if m.Method != "elicitation/create" {
			if !strings.Contains(data, `{\"action\":\"accept\"}`) {
				t.Errorf("the result does not hold the answer: %s", data)
			}
			return
		}
		if status, _, _ := ask(t, url, "POST", fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"action":"accept"}}`, m.ID)); status != 202 {
			t.Errorf("the answer: %d", status)
		}
	}
	t.Error("the stream ended without a result")
}

func TestServerNoticesAClientThatLeaves(t *testing.T) {
	s, url := open(t, MCPOptions{Name: "m"})
	ctx, cancel := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"events","arguments":{"call":"c","count":1,"every_ms":3600000}}}`))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	_ = response.Body.Close()
	for s.Ledger().Calls()[0].Cancelled == 0 && t.Context().Err() == nil {
		<-time.After(time.Millisecond)
	}
}

func TestServerCutsAStreamWhenAsked(t *testing.T) {
	_, url := open(t, MCPOptions{})
	response, err := http.Post(url, "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"events","arguments":{"count":5,"cut":2}}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil || strings.Count(string(body), "data:") != 2 {
		t.Errorf("%v %q", err, body)
	}
}

func TestServerReadsChunkedBodiesAndKeepsTheConnection(t *testing.T) {
	s := New(Options{})
	t.Cleanup(s.Close)
	server := s.MCP(MCPOptions{})
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for range 5 {
		r, _ := http.NewRequestWithContext(t.Context(), "POST", server.URL(), io.MultiReader(strings.NewReader(`{"jsonrpc":"2.0","id":1,`), strings.NewReader(`"method":"ping"}`)))
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if !strings.Contains(string(body), `"result":{}`) {
			t.Errorf("%s", body)
		}
	}
	if n := server.Accepted(); n != 1 {
		t.Errorf("%d connections for 5 requests in a row", n)
	}
}

// caller asks an STS as somebody.
func caller(url string, c Credentials) *sts.Client {
	return sts.New(sts.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(url), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, nil
		}),
	})
}

func TestSTSHandsOutKeysThatServersKnow(t *testing.T) {
	s := New(Options{})
	t.Cleanup(s.Close)
	service := s.STS(STSOptions{})
	base := s.IssueStatic("base")
	role := s.Identity("agent").RoleARN
	out, err := caller(service.URL(), base).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String(role), RoleSessionName: aws.String("me"), ExternalId: aws.String("ext"), DurationSeconds: aws.Int32(900),
	})
	if err != nil {
		t.Fatal(err)
	}
	left := time.Until(*out.Credentials.Expiration)
	if left < 890*time.Second || left > 900*time.Second {
		t.Errorf("they expire in %s", left)
	}
	set, ok := s.key(*out.Credentials.AccessKeyId)
	if !ok || set.SecretAccessKey != *out.Credentials.SecretAccessKey || set.SessionToken != *out.Credentials.SessionToken || set.Identity != "agent" {
		t.Errorf("%+v", set)
	}
	if got := service.Granted(); len(got) != 1 || got[0] != (Assumption{RoleARN: role, SessionName: "me", ExternalID: "ext", Duration: 900 * time.Second, Caller: "base"}) {
		t.Errorf("%+v", got)
	}
	who, err := caller(service.URL(), set.Credentials).GetCallerIdentity(t.Context(), nil)
	if err != nil || *who.Arn != s.Identity("agent").ARN() {
		t.Errorf("%v %+v", err, who)
	}
}

func TestSTSRefusesAsSTSDoes(t *testing.T) {
	s := New(Options{})
	t.Cleanup(s.Close)
	service := s.STS(STSOptions{Life: time.Minute})
	base := s.IssueStatic("base")
	if _, err := caller(service.URL(), base).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::1:role/none"), RoleSessionName: aws.String("me"),
	}); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("an unknown role: %v", err)
	}
	base.SecretAccessKey = "wrong"
	if _, err := caller(service.URL(), base).GetCallerIdentity(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "InvalidSignatureException") {
		t.Errorf("a wrong secret: %v", err)
	}
	if service.Asked() != 2 || len(service.Granted()) != 0 {
		t.Errorf("asked %d, granted %v", service.Asked(), service.Granted())
	}
}
