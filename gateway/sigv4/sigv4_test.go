package sigv4

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"signet/gateway/sandbox"
)

// newRequest is a request as the gateway makes it.
func newRequest(t testing.TB, target, body string) *http.Request {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Request{
		Method: http.MethodPost, URL: u, Host: u.Host, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader([]byte(body))),
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"*/*"}, "Traceparent": {"00-1-1-01"}, "Mcp-Session-Id": {"s"}},
	}
}

func keys(token string) aws.Credentials {
	return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: token}
}

func at() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

func sign(t testing.TB, r *http.Request, body string, creds aws.Credentials) {
	t.Helper()
	if err := Sign(context.Background(), r, Hash([]byte(body)), v4.NewSigner(), creds, Scope{"bedrock-agentcore", "us-east-1"}, at()); err != nil {
		t.Fatal(err)
	}
}

func TestSignCoversHostContentTypeAndAmzHeadersAlone(t *testing.T) {
	r := newRequest(t, "https://up.example/mcp", "{}")
	r.Header.Set("X-Amz-Target", "x")
	sign(t, r, "{}", keys("TOK"))
	_, after, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	headers, _, _ := strings.Cut(after, ",")
	if headers != "content-type;host;x-amz-date;x-amz-security-token;x-amz-target" {
		t.Errorf("signed: %s", headers)
	}
	if r.Header.Get("X-Amz-Security-Token") != "TOK" || r.Header.Get("X-Amz-Date") != "20260101T000000Z" {
		t.Errorf("%v", r.Header)
	}
}

func TestSignLeavesTheRestOfTheRequestAlone(t *testing.T) {
	target := "https://up.example/a%2Fb/arn%3Aaws%3Ax?qualifier=DEFAULT&b&a=%7e"
	r := newRequest(t, target, "{}")
	before := r.Header.Clone()
	sign(t, r, "{}", keys("TOK"))
	if r.URL.String() != target {
		t.Errorf("the URL became %s", r.URL)
	}
	for name, values := range before {
		if !slices.Equal(r.Header[name], values) {
			t.Errorf("%s became %v", name, r.Header[name])
		}
	}
	if len(r.Header) != len(before)+3 {
		t.Errorf("headers %v", r.Header)
	}
	if body, _ := io.ReadAll(r.Body); string(body) != "{}" {
		t.Errorf("body %s", body)
	}
}

func TestSignTakesOutATokenThatIsNotOurs(t *testing.T) {
	r := newRequest(t, "https://up.example/mcp", "{}")
	r.Header["X-Amz-Security-Token"], r.Header["Authorization"], r.Header["X-Amz-Date"] = []string{"evil"}, []string{"Bearer evil"}, []string{"evil"}
	sign(t, r, "{}", keys(""))
	if r.Header["X-Amz-Security-Token"] != nil || strings.Contains(fmt.Sprint(r.Header), "evil") || strings.Contains(r.Header.Get("Authorization"), "security-token") {
		t.Errorf("%v", r.Header)
	}
}

func TestSignAgreesWithBotocoreOnAnARN(t *testing.T) {
	// The canonical URI that botocore signs for an AgentCore runtime escapes the escapes: %253A.
	r := newRequest(t, "https://bedrock-agentcore.us-east-1.amazonaws.com/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Ffoo/invocations?qualifier=DEFAULT", "{}")
	sign(t, r, "{}", keys("TOK"))
	plain := newRequest(t, "https://bedrock-agentcore.us-east-1.amazonaws.com/x", "{}")
	plain.URL.Opaque = "//bedrock-agentcore.us-east-1.amazonaws.com/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Ffoo/invocations"
	plain.URL.RawQuery = "qualifier=DEFAULT"
	sign(t, plain, "{}", keys("TOK"))
	if r.Header.Get("Authorization") != plain.Header.Get("Authorization") {
		t.Error("the path is not signed as it stands on the wire")
	}
}

func TestTwoAttemptsOfOneRequestCanBeSignedAtOnce(t *testing.T) {
	shared := newRequest(t, "https://up.example/mcp", "{}").Header
	shared["X-Amz-Target"] = []string{"x"}
	signer := v4.NewSigner()
	var attempts sync.WaitGroup
	for range 8 {
		attempts.Go(func() {
			r := newRequest(t, "https://up.example/mcp", "{}")
			r.Header = make(http.Header)
			// the same slices, as attempts of one call have
			maps.Copy(r.Header, shared)
			if err := Sign(t.Context(), r, Hash(nil), signer, keys("T"), Scope{"s", "r"}, time.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	attempts.Wait()
	if shared.Get("X-Amz-Target") != "x" || shared.Get("Authorization") != "" {
		t.Errorf("%v", shared)
	}
}

func TestSignedRequestsVerifyOnTheWire(t *testing.T) {
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	server := cloud.MCP(sandbox.MCPOptions{Name: "m", Service: "svc", Region: "eu-west-1", Identity: "alice"})
	issued := cloud.Issue("alice", time.Hour)
	creds := aws.Credentials{AccessKeyID: issued.AccessKeyID, SecretAccessKey: issued.SecretAccessKey, SessionToken: issued.SessionToken}
	random, signer, transport := rand.New(rand.NewPCG(3, 4)), v4.NewSigner(), &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	paths := []string{"/mcp", "/a%2Fb", "/arn%3Aaws%3Ax%2Fy/z", "/caf%C3%A9", "/a:b@c", "/~x/-_.", "/a%20b"}
	queries := []string{"", "?q=1", "?b=2&a=1", "?a=%20x&a=b", "?flag", "?x=%3D%26", "?q=a/b"}
	for n := range 1000 {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"ping","params":{"x":"%s"}}`, n, strings.Repeat("é", random.IntN(50)))
		r := newRequest(t, server.URL()+paths[random.IntN(len(paths))]+queries[random.IntN(len(queries))], body)
		if err := Sign(t.Context(), r, Hash([]byte(body)), signer, creds, Scope{"svc", "eu-west-1"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		// What hops on the way change must not matter.
		r.Header.Set("Traceparent", fmt.Sprint(n))
		r.Header.Set("User-Agent", "hop")
		r.Header.Set("Via", "1.1 hop")
		r.Header.Del("Accept")
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != 200 || !strings.Contains(string(answer), `"result":{}`) {
			t.Fatalf("%s: %d %s", r.URL, response.StatusCode, answer)
		}
	}
}

func TestHashIsThatOfTheSpecification(t *testing.T) {
	if got := Hash(nil); got != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("the empty body: %s", got)
	}
}

func BenchmarkSign(b *testing.B) {
	r, signer, creds := newRequest(b, "https://up.example/mcp", "{}"), v4.NewSigner(), keys(strings.Repeat("t", 900))
	hash := Hash([]byte("{}"))
	b.ReportAllocs()
	for b.Loop() {
		if err := Sign(context.Background(), r, hash, signer, creds, Scope{"s", "r"}, at()); err != nil {
			b.Fatal(err)
		}
	}
}
