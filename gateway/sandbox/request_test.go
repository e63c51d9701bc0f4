package sandbox

import (
	"bufio"
	"strings"
	"testing"
)

func read(wire string) (*request, error) {
	return readRequest(bufio.NewReader(strings.NewReader(wire)))
}

func TestRequestIsKeptAsItStoodOnTheWire(t *testing.T) {
	r, err := read("POST /a%2fb/../c?x=%zz&y HTTP/1.1\r\nhOsT: up.example\r\nX-A:1\r\nX-a:  two  words \r\nX-Fold: a\r\n\t b\r\nContent-Length: 3\r\n\r\nabcGET")
	if err != nil {
		t.Fatal(err)
	}
	if r.method != "POST" || r.target != "/a%2fb/../c?x=%zz&y" || string(r.body) != "abc" {
		t.Errorf("%+v", r)
	}
	if got := strings.Join(r.all("x-A"), "|"); got != "1|two  words" {
		t.Errorf("X-A: %q", got)
	}
	if r.get("host") != "up.example" || r.get("X-A") != "" || r.get("X-Fold") != "a b" || r.get("none") != "" {
		t.Errorf("%+v", r.fields)
	}
	if r.fields[0].name != "hOsT" {
		t.Errorf("names are changed: %+v", r.fields)
	}
}

func TestRequestsFollowEachOtherOnAConnection(t *testing.T) {
	from := bufio.NewReader(strings.NewReader(
		"POST /1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nab" +
			"POST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;ext=1\r\nbc\r\n0\r\nTrailer: x\r\n\r\n" +
			"GET /3 HTTP/1.1\r\n\r\n"))
	for _, want := range []string{"/1 ab", "/2 abc", "/3 "} {
		r, err := readRequest(from)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.target + " " + string(r.body); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if _, err := readRequest(from); err == nil {
		t.Error("there was one more")
	}
}

func TestRequestsThatAreNoneAreRefused(t *testing.T) {
	for name, wire := range map[string]string{
		"nothing":          "",
		"no version":       "GET /\r\n\r\n",
		"HTTP/1.0":         "GET / HTTP/1.0\r\n\r\n",
		"spaces":           "GET / x HTTP/1.1\r\n\r\n",
		"no colon":         "GET / HTTP/1.1\r\nHost\r\n\r\n",
		"space in a name":  "GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
		"continues none":   "GET / HTTP/1.1\r\n x\r\n\r\n",
		"half a head":      "GET / HTTP/1.1\r\nHost: x\r\n",
		"half a body":      "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc",
		"a bad length":     "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
		"a minus length":   "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"a huge length":    "GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
		"half a chunk":     "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"an endless head":  "GET / HTTP/1.1\r\n" + strings.Repeat("X-A: "+strings.Repeat("x", 1000)+"\r\n", 300),
		"an endless line":  "GET /" + strings.Repeat("x", 300<<10) + " HTTP/1.1\r\n\r\n",
		"endless trailers": "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("X: x\r\n", 60_000),
	} {
		if r, err := read(wire); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestIdentitiesAreTheSameEachTime(t *testing.T) {
	s := New(Options{})
	a, b := s.Identity("a"), s.Identity("b")
	if a != s.Identity("a") || a.Account == b.Account || len(a.Account) != 12 {
		t.Errorf("%+v %+v", a, b)
	}
	if s.role(a.RoleARN) != a || s.role("arn:aws:iam::1:role/none") != nil {
		t.Error("roles are not found by their ARN")
	}
}

func TestIssuedSetsAreAllDifferent(t *testing.T) {
	s := New(Options{})
	seen := map[string]bool{}
	for range 1000 {
		for _, c := range []Credentials{s.Issue("a", 0), s.IssueStatic("a")} {
			for _, part := range []string{c.AccessKeyID, c.SecretAccessKey, c.SessionToken} {
				if part != "" && seen[part] {
					t.Fatalf("%s was handed out twice", part)
				}
				seen[part] = true
			}
			if len(c.AccessKeyID) != 20 {
				t.Fatalf("a key id of %d characters", len(c.AccessKeyID))
			}
		}
	}
}

func TestLedgerCountsWhatItIsTold(t *testing.T) {
	l := newLedger()
	l.request("m")
	l.execute("m", "c1", "echo", Credentials{Identity: "a", AccessKeyID: "k1"})
	l.execute("m", "c1", "echo", Credentials{Identity: "b", AccessKeyID: "k2"})
	l.execute("n", "c1", "echo", Credentials{})
	l.execute("m", "", "echo", Credentials{})
	l.cancel("m", "c1")
	l.cancel("m", "never")
	l.refuse(&refusal{kind: "X", other: true})
	l.refuse(&refusal{kind: "X", mixed: true})
	want := []Entry{
		{Call: "c1", Server: "m", Tool: "echo", Identity: "b", AccessKeyID: "k2", Executions: 2, Cancelled: 1},
		{Call: "c1", Server: "n", Tool: "echo", Executions: 1},
	}
	if got := l.Calls(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v", got)
	}
	if l.Refused()["X"] != 2 || l.WrongIdentity() != 1 || l.Mixed() != 1 || l.Requests()["m"] != 1 {
		t.Errorf("%v %d %d %v", l.Refused(), l.WrongIdentity(), l.Mixed(), l.Requests())
	}
}
