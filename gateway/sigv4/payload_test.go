package sigv4

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"signet/gateway/sandbox"
)

func TestServicesThatWantTheHashInAHeaderGetItSigned(t *testing.T) {
	for scope, want := range map[Scope]string{
		{Service: "aws-mcp"}:                          "",
		{Service: "aoss"}:                             "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
		{Service: "es"}:                               "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
		{Service: "vpc-lattice-svcs"}:                 "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
		{Service: "execute-api", Unsigned: true}:      "UNSIGNED-PAYLOAD",
		{Service: "vpc-lattice-svcs", Unsigned: true}: "UNSIGNED-PAYLOAD",
	} {
		scope.Region = "eu-west-1"
		r := newRequest(t, "https://up.example/mcp", "{}")
		if err := Sign(context.Background(), r, scope.Hash([]byte("{}")), v4.NewSigner(), keys(""), scope, at()); err != nil {
			t.Fatal(err)
		}
		signed := strings.Contains(r.Header.Get("Authorization"), "x-amz-content-sha256")
		if got := r.Header.Get("X-Amz-Content-Sha256"); got != want || signed != (want != "") {
			t.Errorf("%+v: %q, signed %v", scope, got, signed)
		}
	}
}

func TestAnUnsignedPayloadVerifiesWhereItIsAllowedAndNowhereElse(t *testing.T) {
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	key := cloud.IssueStatic("lattice")
	creds := aws.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey}
	for _, allowed := range []bool{true, false} {
		server := cloud.MCP(sandbox.MCPOptions{Name: "l", Service: "vpc-lattice-svcs", Region: "eu-west-1", UnsignedPayload: allowed})
		for _, scope := range []Scope{{Service: "vpc-lattice-svcs", Region: "eu-west-1"}, {Service: "vpc-lattice-svcs", Region: "eu-west-1", Unsigned: true}} {
			body := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
			r := newRequest(t, server.URL()+"/mcp", body)
			r.Header.Del("Mcp-Session-Id")
			if err := Sign(t.Context(), r, scope.Hash([]byte(body)), v4.NewSigner(), creds, scope, time.Now()); err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if want := allowed || !scope.Unsigned; (response.StatusCode == http.StatusOK) != want {
				t.Errorf("allowed %v, %+v: %d %s", allowed, scope, response.StatusCode, text)
			}
		}
	}
}
