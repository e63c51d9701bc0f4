package sandbox

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
)

// canonicalOf is the canonical request of a request as it stands on the wire, but for its body.
func canonicalOf(v *verifier, wire string) string {
	r, err := readRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		return err.Error()
	}
	a, _ := parseAuthorization(r)
	return v.canonical(r, a.signed, "HASH")
}

// The examples of AWS's Signature Version 4 documentation: AKIDEXAMPLE and its secret are the
// documentation's own.
func TestVerifierKnowsTheExamplesOfAWSsDocumentation(t *testing.T) {
	for name, test := range map[string]struct {
		service, target      string
		signed               []string
		fields               []field
		canonical, signature string
	}{
		"ListUsers": {
			"iam", "/?Action=ListUsers&Version=2010-05-08", []string{"content-type", "host", "x-amz-date"},
			[]field{{"Host", "iam.amazonaws.com"}, {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}, {"X-Amz-Date", "20150830T123600Z"}},
			"f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59",
			"5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
		},
		"a bare GET": {
			"service", "/", []string{"host", "x-amz-date"},
			[]field{{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
			"bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := authorization{keyID: "AKIDEXAMPLE", date: "20150830", region: "us-east-1", service: test.service, signed: test.signed}
			r := &request{method: "GET", target: test.target, fields: test.fields}
			empty := sha256.Sum256(nil)
			canonical := (&verifier{}).canonical(r, a.signed, hex.EncodeToString(empty[:]))
			sum := sha256.Sum256([]byte(canonical))
			if got := hex.EncodeToString(sum[:]); got != test.canonical {
				t.Errorf("canonical request %s\n%s", got, canonical)
			}
			secret := "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
			if got := sign(secret, a, stringToSign("20150830T123600Z", a, canonical)); got != test.signature {
				t.Errorf("signature %s", got)
			}
		})
	}
}

func TestVerifierKeepsAnARNAsItIsOnTheWire(t *testing.T) {
	v, c := newVerifier()
	target := "/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Ffoo/invocations?qualifier=DEFAULT"
	wire := signed(t, c, "POST", target, "{}", http.Header{}, "svc", "eu-west-1")
	if _, no := judge(v, wire); no != nil || !strings.Contains(wire, target) {
		t.Errorf("%+v\n%s", no, wire)
	}
	if canonical := canonicalOf(v, wire); !strings.Contains(canonical, "/runtimes/arn%253Aaws%253Abedrock-agentcore%253Aus-east-1%253A123456789012%253Aruntime%252Ffoo/invocations\n") {
		t.Errorf("%s", canonical)
	}
}

func TestPathsAreNormalised(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/a/../b": "/b", "/a/./b": "/a/b", "//a//b": "/a/b", "/a/b/..": "/a/", "/../..": "/", "/a/": "/a/", "": "/",
	} {
		if got := normalised(path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}

func TestPathsStayAsTheyAreOnlyWhereTheyAreRaw(t *testing.T) {
	// AWS's Go signer signs such a path as it stands, and so every service but S3 refuses it.
	for _, path := range []string{"//mcp", "/a/../mcp", "/a/./mcp"} {
		v, c := newVerifier()
		wire := signed(t, c, "POST", path, "{}", http.Header{}, "svc", "eu-west-1")
		if _, no := judge(v, wire); no == nil || no.kind != "InvalidSignatureException" {
			t.Errorf("%s: %+v", path, no)
		}
		v.raw = true
		if _, no := judge(v, wire); no != nil {
			t.Errorf("%s, raw: %+v", path, no)
		}
	}
}

func TestQueriesAreDecodedEncodedAndSorted(t *testing.T) {
	for query, want := range map[string]string{
		"": "", "b=2&a=1": "a=1&b=2", "a": "a=", "a=2&a=1": "a=1&a=2", "a=%7e%2f": "a=~%2F", "a=+": "a=%2B",
		"a=%zz": "a=%25zz", "a=%fg": "a=%25fg", "a=%": "a=%25", "a=b=c": "a=b%3Dc", "&&a=1&": "a=1", "A=1&a=1&%41=0": "A=0&A=1&a=1",
	} {
		if got := canonicalQuery(query); got != want {
			t.Errorf("%q is %q, want %q", query, got, want)
		}
	}
}

func TestHeadersAreFolded(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "  a   b ": "a b", "a\tb": "a b", "\"a   b\"": "\"a b\"", "a\u00a0b": "a\u00a0b",
	} {
		if got := folded(value); got != want {
			t.Errorf("%q is %q, want %q", value, got, want)
		}
	}
}
