package sandbox

import (
	"bufio"
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// aSigned is a verifier and a request that it takes: with a query, a body, a token and headers of ours.
func aSigned(t *testing.T) (*verifier, string) {
	t.Helper()
	v, c := newVerifier()
	header := http.Header{"Content-Type": {"application/json"}, "X-Amz-Custom": {"one  value", "two"}}
	wire := signed(t, c, "POST", "/mcp/a%3Ab?b=1%20%C3%A9&c=2", `{"id":1,"method":"é"}`, header, "svc", "eu-west-1")
	if _, no := judge(v, wire); no != nil {
		t.Fatalf("%+v", no)
	}
	return v, wire
}

func TestVerifierRefusesEveryFlippedBit(t *testing.T) {
	v, wire := aSigned(t)
	begin := strings.Index(wire, "Content-Length")
	end := strings.Index(wire, "\r\n\r\n")
	var mutants int
	for i := range len(wire) {
		if i >= begin && i < end || wire[i] == '\r' || wire[i] == '\n' {
			continue // the frame, which is not signed
		}
		for bit := range 8 {
			mutant := []byte(wire)
			mutant[i] ^= 1 << bit
			if sameToAServer(t, wire, string(mutant)) {
				continue
			}
			mutants++
			if _, no := judge(v, string(mutant)); no == nil {
				t.Errorf("byte %d, bit %d: accepted\n%s", i, bit, mutant)
			}
		}
	}
	if mutants < 4000 {
		t.Errorf("only %d mutants", mutants)
	}
}

// sameToAServer reports whether two requests differ only where HTTP and AWS say that it means nothing: in the
// case of a header's name, in blanks around and between what it holds, and in how a query is escaped.
func sameToAServer(t *testing.T, a, b string) bool {
	t.Helper()
	x, err := readRequest(bufio.NewReader(strings.NewReader(a)))
	if err != nil {
		t.Fatal(err)
	}
	y, err := readRequest(bufio.NewReader(strings.NewReader(b)))
	if err != nil || x.method != y.method || !bytes.Equal(x.body, y.body) {
		return false
	}
	pathX, queryX, _ := strings.Cut(x.target, "?")
	pathY, queryY, _ := strings.Cut(y.target, "?")
	return pathX == pathY && canonicalQuery(queryX) == canonicalQuery(queryY) && slices.EqualFunc(x.fields, y.fields, func(f, g field) bool {
		return strings.EqualFold(f.name, g.name) && folded(f.value) == folded(g.value)
	})
}

// line is the header line of that name, with its end.
func line(wire, name string) string {
	i := strings.Index(wire, "\r\n"+name+":") + 2
	return wire[i : i+strings.Index(wire[i:], "\r\n")+2]
}

func TestVerifierRefusesWhatIsAddedTakenOrExchanged(t *testing.T) {
	v, wire := aSigned(t)
	newer := v.sandbox.Issue("alice", time.Hour)
	with := func(old, new string) string {
		if !strings.Contains(wire, old) {
			t.Fatalf("%q is not in it\n%s", old, wire)
		}
		return strings.Replace(wire, old, new, 1)
	}
	token := line(wire, "X-Amz-Security-Token")
	mutants := map[string]string{
		"another method":        with("POST ", "PUT "),
		"a longer path":         with("/mcp/", "/mcp/x/"),
		"an unescaped path":     with("a%3Ab", "a:b"),
		"a path in lower case":  with("a%3Ab", "a%3ab"),
		"another parameter":     with("&c=2", "&c=2&d=3"),
		"a lost parameter":      with("&c=2", ""),
		"exchanged parameters":  with("b=1%20%C3%A9&c=2", "b=2&c=1%20%C3%A9"),
		"no query":              with("?b=1%20%C3%A9&c=2", ""),
		"another host":          with("Host: up.example", "Host: up.example.org"),
		"a host with a port":    with("Host: up.example", "Host: up.example:443"),
		"two hosts":             with("Host: up.example\r\n", "Host: up.example\r\nHost: up.example\r\n"),
		"exchanged values":      with(line(wire, "X-Amz-Custom"), "X-Amz-Custom: two\r\n"),
		"another amz header":    with("Host:", "X-Amz-Target: T\r\nHost:"),
		"a second token":        with(token, token+token),
		"a newer set's token":   with(token, "X-Amz-Security-Token: "+newer.SessionToken+"\r\n"),
		"a claimed hash":        with("Host:", "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\nHost:"),
		"a longer body":         strings.Replace(with(`"é"}`, `"é"} `), "Content-Length: 22", "Content-Length: 23", 1),
		"no body":               strings.Replace(with(`{"id":1,"method":"é"}`, ""), "Content-Length: 22", "Content-Length: 0", 1),
		"a later second":        strings.ReplaceAll(wire, "T120000Z", "T120001Z"),
		"another day":           strings.ReplaceAll(strings.ReplaceAll(wire, "20261124T", "20261125T"), "/20261124/", "/20261125/"),
		"a signed header fewer": with("SignedHeaders=content-type;", "SignedHeaders="),
		"an unsorted list":      with("content-type;host", "host;content-type"),
		"an empty signature":    wire[:strings.Index(wire, "Signature=")] + "Signature=\r\n" + wire[strings.Index(wire, "Signature=")+len("Signature=")+64+2:],
		"two credentials":       with(" Credential=", " Credential=a/b/c/d/aws4_request, Credential="),
		"another parameter too": with(" Credential=", " Extra=1, Credential="),
	}
	for _, name := range []string{"Host", "Content-Type", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Custom", "Authorization"} {
		mutants["without "+name] = with(line(wire, name), "")
		mutants["twice "+name] = with(line(wire, name), line(wire, name)+line(wire, name))
	}
	for name, mutant := range mutants {
		if mutant == wire {
			t.Errorf("%s: nothing changed", name)
		}
		if _, no := judge(v, mutant); no == nil {
			t.Errorf("%s: accepted\n%s", name, mutant)
		}
	}
}

func TestVerifierTakesWhatAHopMayChange(t *testing.T) {
	v, wire := aSigned(t)
	head, body, _ := strings.Cut(wire, "\r\n\r\n")
	length := "Content-Length: 22"
	if !strings.Contains(head, length) {
		t.Fatal(head)
	}
	for name, changed := range map[string]string{
		"new headers":         strings.Replace(wire, "Host:", "Via: 1.1 hop\r\nAccept: */*\r\nTraceparent: 00-1-1-01\r\nMcp-Session-Id: s\r\nHost:", 1),
		"chunks":              strings.Replace(head, length, "Transfer-Encoding: chunked", 1) + "\r\n\r\n1\r\n" + body[:1] + "\r\n15;x=y\r\n" + body[1:] + "\r\n0\r\nTrailer: t\r\n\r\n",
		"names in lower case": strings.NewReplacer("Host:", "host:", "X-Amz-Date:", "x-amz-date:", "Authorization:", "AUTHORIZATION:").Replace(wire),
		"wider blanks":        strings.Replace(wire, "Host: up.example", "Host: \t up.example  ", 1),
		"a query in order":    strings.Replace(wire, "b=1%20%C3%A9&c=2", "c=2&b=1%20%c3%a9", 1),
	} {
		if _, no := judge(v, changed); no != nil || changed == wire {
			t.Errorf("%s: %+v\n%s", name, no, changed)
		}
	}
}
