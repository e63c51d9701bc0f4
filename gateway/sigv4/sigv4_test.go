package sigv4

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
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
	if err := Sign(context.Background(), r, hash([]byte(body)), v4.NewSigner(), creds, Scope{Service: "bedrock-agentcore", Region: "us-east-1"}, at()); err != nil {
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

// The signatures are those that botocore 1.43.11 makes of the same headers: botocore escapes the escapes of the
// path (%253A), and is what signs calls to the real service. The URL on the wire stays as it is written.
func TestSignAgreesWithBotocoreOnAnARN(t *testing.T) {
	const target = "https://bedrock-agentcore.us-east-1.amazonaws.com/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Ffoo/invocations?qualifier=DEFAULT"
	const body = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	const begins = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/bedrock-agentcore/aws4_request, SignedHeaders=content-type;host;x-amz-date"
	for token, ends := range map[string]string{
		"TOK": ";x-amz-security-token, Signature=df272850b0d22531cadf1b4dd833c9031342acf7d43867552d33c1f8dadfe1ca",
		"":    ", Signature=8f436d572623ff15ac438d61d920ea1c1f7248ae031ba91e657ed923057edc30",
	} {
		r := newRequest(t, target, body)
		r.URL.Host = "127.0.0.1:8443" // where it is sent to is not what it is signed for
		sign(t, r, body, keys(token))
		r.URL.Host = r.Host
		if got := r.Header.Get("Authorization"); got != begins+ends || r.URL.String() != target {
			t.Errorf("%s\n%s", got, r.URL)
		}
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
			if err := Sign(t.Context(), r, hash(nil), signer, keys("T"), Scope{Service: "s", Region: "r"}, time.Now()); err != nil {
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
		if err := Sign(t.Context(), r, hash([]byte(body)), signer, creds, Scope{Service: "svc", Region: "eu-west-1"}, time.Now()); err != nil {
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

func TestSignedHeadersAreHostContentTypeAndAmzAlone(t *testing.T) {
	random, signer := rand.New(rand.NewPCG(5, 6)), v4.NewSigner()
	names := []string{
		"Accept", "Accept-Encoding", "Baggage", "Connection", "Content-Length", "Content-Type", "Cookie", "Expect", "Last-Event-Id", "Mcp-Method",
		"Mcp-Session-Id", "Te", "Trailer", "Traceparent", "Tracestate", "Transfer-Encoding", "User-Agent", "X-Amz-Target", "X-Amz-Content-Sha256",
		"X-Amzn-Trace-Id", "X-Forwarded-For", "X_amz_date", "X-Idempotency-Key",
	}
	for range 300 {
		r := newRequest(t, "https://up.example/mcp", "{}")
		for range random.IntN(12) {
			r.Header.Add(names[random.IntN(len(names))], "v")
		}
		if err := Sign(t.Context(), r, hash(nil), signer, keys("T"), Scope{Service: "s", Region: "r"}, at()); err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
		list, _, _ := strings.Cut(after, ",")
		for name := range strings.SplitSeq(list, ";") {
			if name != "host" && name != "content-type" && !strings.HasPrefix(name, "x-amz-") {
				t.Fatalf("signed: %s", list)
			}
		}
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Amz-") && !strings.Contains(list, strings.ToLower(name)) {
				t.Fatalf("%s is sent but not signed: %s", name, list)
			}
		}
	}
}

// broken is a signer that fails once it has written to the request.
type broken struct{ err error }

func (b broken) SignHTTP(_ context.Context, _ aws.Credentials, r *http.Request, _, _, _ string, _ time.Time, _ ...func(*v4.SignerOptions)) error {
	r.Method, r.URL.Host = "BROKEN", "broken"
	for _, values := range r.Header {
		values[0] = "broken"
	}
	r.Header.Set("Authorization", "broken")
	return b.err
}

func TestSignLeavesARequestThatCannotBeSignedAsItWas(t *testing.T) {
	r, cause := newRequest(t, "https://up.example/mcp?a=1", "{}"), errors.New("no clock")
	r.Header.Set("X-Amz-Target", "x")
	before := r.Header.Clone()
	err := Sign(t.Context(), r, hash(nil), broken{cause}, keys(""), Scope{Service: "s", Region: "r"}, at())
	if !errors.Is(err, cause) || err.Error() != "sigv4: no clock" {
		t.Error(err)
	}
	if !reflect.DeepEqual(r.Header, before) || r.Method != http.MethodPost || r.URL.String() != "https://up.example/mcp?a=1" {
		t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
}

// What one signature holds must be refused with any of it changed, or a test that sees requests verified
// shows nothing.
func TestSignedRequestsThatWereChangedAreRefused(t *testing.T) {
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	server := cloud.MCP(sandbox.MCPOptions{Name: "m", Service: "svc", Region: "eu-west-1", Identity: "alice"})
	issued, transport := cloud.Issue("alice", time.Hour), &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	creds := aws.Credentials{AccessKeyID: issued.AccessKeyID, SecretAccessKey: issued.SecretAccessKey, SessionToken: issued.SessionToken}
	const body = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	for name, change := range map[string]func(*http.Request){
		"nothing": func(*http.Request) {}, "type": func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") },
		"target": func(r *http.Request) { r.Header.Set("X-Amz-Target", "y") }, "query": func(r *http.Request) { r.URL.RawQuery = "q=2" },
		"path": func(r *http.Request) { r.URL.Path = "/mcp/x" }, "host": func(r *http.Request) { r.Host = "other.example" },
		"token": func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "other") },
		"body":  func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(strings.Replace(body, "1", "2", 1))) },
	} {
		r := newRequest(t, server.URL()+"/mcp?q=1", body)
		r.Header.Set("X-Amz-Target", "x")
		if err := Sign(t.Context(), r, hash([]byte(body)), v4.NewSigner(), creds, Scope{Service: "svc", Region: "eu-west-1"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		change(r)
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if (response.StatusCode == 200) != (name == "nothing") {
			t.Errorf("%s changed: %d", name, response.StatusCode)
		}
	}
}

func TestSignAllocatesNoMoreThanItDid(t *testing.T) {
	r, signer, sum := newRequest(t, "https://up.example/mcp", "{}"), v4.NewSigner(), hash(nil)
	n := testing.AllocsPerRun(100, func() {
		if err := Sign(t.Context(), r, sum, signer, keys("T"), Scope{Service: "s", Region: "r"}, at()); err != nil {
			t.Fatal(err)
		}
	})
	if n > 60 {
		t.Errorf("%v allocations", n)
	}
}

func TestHashIsThatOfTheSpecification(t *testing.T) {
	if got := hash(nil); got != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("the empty body: %s", got)
	}
}

func BenchmarkSign(b *testing.B) {
	r, signer, creds := newRequest(b, "https://up.example/mcp", "{}"), v4.NewSigner(), keys(strings.Repeat("t", 900))
	sum := hash([]byte("{}"))
	b.ReportAllocs()
	for b.Loop() {
		if err := Sign(context.Background(), r, sum, signer, creds, Scope{Service: "s", Region: "r"}, at()); err != nil {
			b.Fatal(err)
		}
	}
}
