package sandbox

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// noon is when the requests of these tests are signed.
func noon() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// signed is a request on the wire, signed by AWS's own signer.
func signed(t *testing.T, c Credentials, method, target, body string, header http.Header, service, region string) string {
	t.Helper()
	u, err := url.Parse("https://up.example" + target)
	if err != nil {
		t.Fatal(err)
	}
	r := &http.Request{Method: method, URL: u, Host: "up.example", Header: header.Clone()}
	sum := sha256.Sum256([]byte(body))
	creds := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), service, region, noon()); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: up.example\r\n", method, r.URL.RequestURI())
	for name, values := range r.Header {
		for _, value := range values {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

// judge verifies a request as it stands on the wire.
func judge(v *verifier, wire string) (issued, *refusal) {
	r, err := readRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		return issued{}, refuse(400, "BadRequest", "%v", err)
	}
	return v.verify(r)
}

// newVerifier is a verifier of service "svc" in eu-west-1, at noon, and a temporary set it knows.
func newVerifier() (*verifier, Credentials) {
	s := New(Options{Now: noon})
	return &verifier{sandbox: s, service: "svc", region: "eu-west-1"}, s.Issue("alice", time.Hour)
}

// pick is a random string of the given letters.
func pick(r *rand.Rand, letters string, n int) string {
	runes := []rune(letters)
	var b strings.Builder
	for range n {
		b.WriteRune(runes[r.IntN(len(runes))])
	}
	return b.String()
}

func TestVerifierAgreesWithAWSsSigner(t *testing.T) {
	v, temporary := newVerifier()
	static := v.sandbox.IssueStatic("bob")
	random := rand.New(rand.NewPCG(1, 1))
	for n := range 10_000 {
		c := temporary
		if n%3 == 0 {
			c = static
		}
		var path strings.Builder
		for range random.IntN(4) {
			path.WriteString("/" + url.PathEscape(pick(random, "abcXYZ019-_~:@!$&'()*+,=é %", 1+random.IntN(8))))
		}
		query := url.Values{}
		for range random.IntN(4) {
			query.Add(pick(random, "abcZ09-_.~ é/", 1+random.IntN(5)), pick(random, "abcZ09-_.~ é/:=&", random.IntN(6)))
		}
		target := path.String()
		if target == "" {
			target = "/"
		}
		if len(query) > 0 {
			target += "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
		}
		header := http.Header{}
		for range random.IntN(4) {
			header.Add("X-Amz-"+pick(random, "abc", 3), pick(random, "abc  ,;=/", 1+random.IntN(10))+"x")
		}
		if random.IntN(2) == 0 {
			header.Set("Content-Type", "application/json")
		}
		method := []string{"POST", "GET", "DELETE"}[random.IntN(3)]
		wire := signed(t, c, method, target, pick(random, "{}\":é1", random.IntN(40)), header, "svc", "eu-west-1")
		who, no := judge(v, wire)
		if no != nil || who.AccessKeyID != c.AccessKeyID {
			t.Fatalf("request %d: %+v\n%s\n%s", n, no, wire, canonicalOf(v, wire))
		}
	}
}

func TestVerifierRefusesInAWSsWords(t *testing.T) {
	v, c := newVerifier()
	static := v.sandbox.IssueStatic("bob")
	revoked := v.sandbox.Issue("alice", time.Hour)
	v.sandbox.Revoke(revoked.AccessKeyID)
	old := v.sandbox.Issue("alice", -2*time.Hour)
	v.sandbox.keys[old.AccessKeyID].until = noon().Add(-time.Second)
	sign := func(c Credentials) string {
		return signed(t, c, "POST", "/mcp", "{}", http.Header{"X-Amz-Custom": {"v"}}, "svc", "eu-west-1")
	}
	wire := sign(c)
	with := func(old, new string) string { return strings.Replace(wire, old, new, 1) }
	line := func(name string) string {
		i := strings.Index(wire, "\r\n"+name+":") + 2
		return wire[i : i+strings.Index(wire[i:], "\r\n")+2]
	}
	for name, test := range map[string]struct{ wire, kind, message string }{
		"no signature":     {with(line("Authorization"), ""), "MissingAuthenticationTokenException", "Missing Authentication Token"},
		"two of them":      {with(line("Authorization"), line("Authorization")+line("Authorization")), "IncompleteSignatureException", "more than one"},
		"a bearer token":   {with(line("Authorization"), "Authorization: Bearer x\r\n"), "IncompleteSignatureException", "algorithm"},
		"no date":          {with(line("X-Amz-Date"), ""), "IncompleteSignatureException", "X-Amz-Date"},
		"another service":  {with("/svc/", "/other/"), "InvalidSignatureException", "correct service: 'svc'"},
		"another region":   {with("/eu-west-1/", "/us-east-1/"), "InvalidSignatureException", "valid region"},
		"no terminator":    {with("aws4_request", "aws5_request"), "InvalidSignatureException", "valid terminator"},
		"another day":      {with("/20261124/", "/20261125/"), "InvalidSignatureException", "Date in Credential scope"},
		"host not signed":  {with("SignedHeaders=host;", "SignedHeaders="), "InvalidSignatureException", "must be a 'SignedHeader'"},
		"unsigned x-amz":   {with("Host:", "X-Amz-Extra: 1\r\nHost:"), "InvalidSignatureException", "x-amz-extra"},
		"an unknown key":   {sign(Credentials{AccessKeyID: "ASIANOBODY", SecretAccessKey: "x", SessionToken: "y"}), "UnrecognizedClientException", "is invalid"},
		"a revoked key":    {sign(revoked), "UnrecognizedClientException", "is invalid"},
		"an expired one":   {sign(old), "ExpiredTokenException", "is expired"},
		"another's token":  {sign(Credentials{AccessKeyID: static.AccessKeyID, SecretAccessKey: static.SecretAccessKey, SessionToken: c.SessionToken}), "UnrecognizedClientException", "is invalid"},
		"the wrong secret": {sign(Credentials{AccessKeyID: static.AccessKeyID, SecretAccessKey: c.SecretAccessKey}), "InvalidSignatureException", "does not match"},
		"a claimed hash":   {with("Host:", "X-Amz-Content-Sha256: 00\r\nHost:"), "InvalidSignatureException", "not signed"},
	} {
		_, no := judge(v, test.wire)
		if no == nil || no.kind != test.kind || !strings.Contains(no.message, test.message) {
			t.Errorf("%s: %+v, want %s with %q\n%s", name, no, test.kind, test.message, test.wire)
		}
	}
	if _, no := judge(v, sign(Credentials{AccessKeyID: static.AccessKeyID, SecretAccessKey: static.SecretAccessKey, SessionToken: c.SessionToken})); no == nil || !no.mixed {
		t.Error("a key with another set's token is not counted as mixed")
	}
}

func TestVerifierHasAClock(t *testing.T) {
	for offset, kind := range map[time.Duration]string{
		0: "", 4 * time.Minute: "", -4 * time.Minute: "",
		6 * time.Minute: "Signature expired", -6 * time.Minute: "Signature not yet current", 25 * time.Hour: "Signature expired",
	} {
		v, c := newVerifier()
		v.offset = offset
		_, no := judge(v, signed(t, c, "POST", "/", "", http.Header{}, "svc", "eu-west-1"))
		if (no == nil) != (kind == "") || no != nil && !strings.Contains(no.message, kind) {
			t.Errorf("%s ahead: %+v", offset, no)
		}
	}
}

func TestVerifierTellsIdentitiesApart(t *testing.T) {
	v, c := newVerifier()
	v.identity = "bob"
	_, no := judge(v, signed(t, c, "POST", "/", "", http.Header{}, "svc", "eu-west-1"))
	if no == nil || no.kind != "AccessDeniedException" || !no.other || !strings.Contains(no.message, v.sandbox.Identity("alice").ARN()) {
		t.Errorf("%+v", no)
	}
	bob := v.sandbox.Issue("bob", time.Hour)
	if who, no := judge(v, signed(t, bob, "POST", "/", "", http.Header{}, "svc", "eu-west-1")); no != nil || who.Identity != "bob" {
		t.Errorf("%+v %+v", who, no)
	}
}

func TestVerifierTakesUnsignedPayloadOnlyWhereAllowed(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		v, _ := newVerifier()
		v.unsigned = allowed
		r := &request{body: []byte("anything"), fields: []field{{"X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"}}}
		if _, no := v.payload(r); (no == nil) != allowed {
			t.Errorf("allowed %v: %+v", allowed, no)
		}
	}
}
