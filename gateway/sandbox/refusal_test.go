package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// refusedBy sends an MCP server a call that was signed with c at noon, and is how it was answered.
func refusedBy(t *testing.T, s *Sandbox, o MCPOptions, c Credentials) (status int, kind, body string) {
	t.Helper()
	o.Service, o.Region = "svc", "eu-west-1"
	header := http.Header{"Content-Type": {"application/json"}}
	wire := signed(t, c, "POST", "/mcp", toolCall(1, "echo", `{"text":"hi"}`), header, "svc", "eu-west-1")
	status, got, body := exchangeRaw(t, s.MCP(o).URL(), wire)
	return status, got.Get("x-amzn-errortype"), body
}

func TestEachShapeRefusesInItsOwnWay(t *testing.T) {
	for _, test := range []struct {
		shape, what string
		status      int
		kind        string
	}{
		{Plain, "a wrong secret", 403, "InvalidSignatureException"},
		{Plain, "an unknown key", 403, "UnrecognizedClientException"},
		{Plain, "an expired key", 403, "ExpiredTokenException"},
		{Plain, "a revoked key", 403, "UnrecognizedClientException"},
		{AWSMCP, "a wrong secret", 401, "InvalidSignatureException"},
		{AWSMCP, "an unknown key", 403, "UnrecognizedClientException"},
		{AWSMCP, "an expired key", 403, "ExpiredTokenException"},
		{APIGateway, "a wrong secret", 403, "InvalidSignatureException"},
		{APIGateway, "an unknown key", 403, "AccessDeniedException"},
		{APIGateway, "a revoked key", 403, "AccessDeniedException"},
		{APIGateway, "an expired key", 403, "ExpiredTokenException"},
	} {
		s := New(Options{Now: noon})
		c := s.Issue("alice", time.Hour)
		switch test.what {
		case "a wrong secret":
			c.SecretAccessKey = "wrong"
		case "an unknown key":
			c.AccessKeyID = "ASIAUNKNOWN"
		case "an expired key":
			s.Expire(c.AccessKeyID)
		case "a revoked key":
			s.Revoke(c.AccessKeyID)
		}
		status, kind, body := refusedBy(t, s, MCPOptions{Shape: test.shape}, c)
		s.Close()
		if status != test.status || kind != test.kind {
			t.Errorf("%q, %s: %d %s, want %d %s", test.shape, test.what, status, kind, test.status, test.kind)
		}
		if strings.HasSuffix(test.what, "known key") && body != `{"message":"The security token included in the request is invalid."}` {
			t.Errorf("%q, %s: %s", test.shape, test.what, body)
		}
	}
}

func TestTheLedgerHasOneWordForARefusalInAllShapes(t *testing.T) {
	s := New(Options{Now: noon})
	defer s.Close()
	for _, shape := range []string{Plain, AWSMCP, APIGateway} {
		refusedBy(t, s, MCPOptions{Shape: shape}, Credentials{AccessKeyID: "ASIAUNKNOWN", SecretAccessKey: "x", SessionToken: "x"})
	}
	if refused := s.Ledger().Refused(); len(refused) != 1 || refused["UnrecognizedClientException"] != 3 {
		t.Errorf("%v", refused)
	}
}

func TestAServerTakesWhatIsSignedInItsOwnTime(t *testing.T) {
	for name, test := range map[string]struct {
		ahead time.Duration // of noon, when the request is signed
		want  string
	}{
		"the same time":   {0, ""},
		"a little ahead":  {5 * time.Minute, ""},
		"a little behind": {-5 * time.Minute, ""},
		"too far ahead":   {5*time.Minute + time.Second, "Signature expired: 20261124T120000Z is now earlier than 20261124T120001Z"},
		"too far behind":  {-10 * time.Minute, "Signature not yet current: 20261124T120000Z is still later than 20261124T115500Z"},
	} {
		s := New(Options{Now: noon})
		status, kind, body := refusedBy(t, s, MCPOptions{Clock: test.ahead}, s.Issue("alice", time.Hour))
		s.Close()
		if refused := status == 403 && kind == "InvalidSignatureException"; refused != (test.want != "") || !strings.Contains(body, test.want) {
			t.Errorf("%s: %d %s %s", name, status, kind, body)
		}
	}
	// What the client learned from Date is good, however far the server's clock is off.
	s := New(Options{Now: func() time.Time { return noon().Add(-time.Hour) }})
	defer s.Close()
	if status, _, body := refusedBy(t, s, MCPOptions{Clock: time.Hour}, s.Issue("alice", 3*time.Hour)); status != 200 {
		t.Errorf("signed by the server's clock: %d %s", status, body)
	}
}
