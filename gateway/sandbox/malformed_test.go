package sandbox

import (
	"bufio"
	"errors"
	"strings"
	"testing"
)

func TestMalformedRequestsAreRefused(t *testing.T) {
	post := func(head string) string { return "POST / HTTP/1.1\r\n" + head + "\r\n\r\nabc" }
	for name, test := range map[string]struct {
		wire   string
		status int
	}{
		"no request":                  {"hello\r\n\r\n", 400},
		"an old version":              {"GET / HTTP/1.0\r\n\r\n", 400},
		"a space in the path":         {"GET /a b HTTP/1.1\r\n\r\n", 400},
		"no path":                     {"GET  HTTP/1.1\r\n\r\n", 400},
		"no colon":                    {post("Host"), 400},
		"no name":                     {post(": v"), 400},
		"a blank before the colon":    {post("Host : h"), 400},
		"a control in a name":         {post("Ho\x00st: h"), 400},
		"a control in a value":        {post("Host: h\x00"), 400},
		"a fold of nothing":           {post(" folded"), 400},
		"two lengths":                 {post("Content-Length: 3\r\nContent-Length: 2"), 400},
		"a length and chunks":         {post("Content-Length: 3\r\nTransfer-Encoding: chunked"), 400},
		"a signed length":             {post("Content-Length: +3"), 400},
		"a length in words":           {post("Content-Length: three"), 400},
		"an enormous length":          {post("Content-Length: 99999999999"), 413},
		"a length beyond all numbers": {post("Content-Length: 99999999999999999999"), 400},
		"another coding":              {post("Transfer-Encoding: gzip, chunked"), 501},
		"an endless head":             {post("X: " + strings.Repeat("x", maxHead)), 431},
		"an endless line":             {strings.Repeat("x", maxHead+1), 431},
	} {
		_, err := readRequest(bufio.NewReader(strings.NewReader(test.wire)))
		if bad, ok := errors.AsType[*malformed](err); !ok || bad.status != test.status {
			t.Errorf("%s: %v, want %d", name, err, test.status)
		}
	}
}

func TestHalfARequestIsNone(t *testing.T) {
	whole := "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	for i := range len(whole) {
		if r, err := readRequest(bufio.NewReader(strings.NewReader(whole[:i]))); err == nil {
			t.Errorf("%q: %+v", whole[:i], r)
		}
	}
}
