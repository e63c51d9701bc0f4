package gateway

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/tools/txtar"

	"signet/config"
)

// An exchange is a request and its answer, as a file of testdata/exchanges has them. What is sent is to
// arrive, byte for byte, at both ends.
type exchange struct {
	request string
	status  int
	header  http.Header
	version string // MCP-Protocol-Version of the client
	body    string
	want    int // the client's status
}

// readExchange reads a file: the request; "HTTP status", headers and body of the upstream's answer; and, if
// it differs, "HTTP status" of the client's. ␍ stands for a carriage return.
func readExchange(t *testing.T, path string) exchange {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e := exchange{header: http.Header{}}
	for _, f := range archive.Files {
		text := strings.TrimSuffix(strings.ReplaceAll(string(f.Data), "␍", "\r"), "\n")
		switch f.Name {
		case "request":
			e.request = text
		case "upstream":
			head, body, _ := strings.Cut(text, "\n\n")
			e.body = body
			if strings.HasSuffix(body, "\n") { // a stream: its last blank line ends the file
				e.body += "\n"
			}
			for i, line := range strings.Split(head, "\n") {
				name, value, _ := strings.Cut(line, ": ")
				version, says := strings.CutPrefix(line, "(client speaks ")
				switch {
				case i == 0:
					e.status, e.want = number(t, line), number(t, line)
				case says:
					e.version = strings.TrimSuffix(version, ")")
				default:
					e.header.Set(name, value)
				}
			}
		case "client":
			e.want = number(t, text)
		}
	}
	return e
}

func number(t *testing.T, line string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimPrefix(line, "HTTP "))
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return n
}

// serve answers with the exchange's bytes, in pieces of so many.
func (e exchange) serve(piece int, got *string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*got = string(body)
		maps.Copy(w.Header(), e.header)
		if e.header.Get("Content-Type") == "" {
			w.Header()["Content-Type"] = nil // net/http would guess one
		}
		w.WriteHeader(e.status)
		for rest := e.body; rest != ""; {
			n := min(piece, len(rest))
			_, _ = io.WriteString(w, rest[:n])
			_ = http.NewResponseController(w).Flush()
			rest = rest[n:]
		}
	}
}

func TestExchangesAreByteEqualAtBothEnds(t *testing.T) {
	files, err := filepath.Glob("testdata/exchanges/*.txtar")
	if err != nil || len(files) < 200 {
		t.Fatalf("%d exchanges, %v", len(files), err)
	}
	for _, file := range files {
		for _, piece := range []int{1 << 20, 7, 1} {
			t.Run(fmt.Sprintf("%s, %d", strings.TrimSuffix(filepath.Base(file), ".txtar"), piece), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					e := readExchange(t, file)
					var got string
					b := alone(t, e.serve(piece, &got), nil)
					r := request(t, "r", e.request)
					r.Header.Set("MCP-Protocol-Version", e.version)
					response, body := b.do(t, r)
					if got != e.request {
						t.Errorf("the upstream got\n%q\nof\n%q", got, e.request)
					}
					if body != e.body || response.StatusCode != e.want {
						t.Errorf("the client got %d\n%q\nof %d\n%q", response.StatusCode, body, e.want, e.body)
					}
					for _, name := range []string{"Content-Type", "Mcp-Session-Id"} {
						if response.Header.Get(name) != e.header.Get(name) {
							t.Errorf("%s is %q, was %q", name, response.Header.Get(name), e.header.Get(name))
						}
					}
				})
			})
		}
	}
}

// Where meta and trace_meta are set the upstream gets the same bytes but for one piece, which is theirs; the client
// gets the same bytes as ever.
func TestExchangesDifferInMetaAloneWhereItIsSet(t *testing.T) {
	files, err := filepath.Glob("testdata/exchanges/*.txtar")
	if err != nil || len(files) < 200 {
		t.Fatalf("%d exchanges, %v", len(files), err)
	}
	const ours = `"k":"v","traceparent":"00-[0-9a-f]{32}-[0-9a-f]{16}-01"`
	piece := regexp.MustCompile(`^(,?"params":\{"_meta":\{` + ours + `\}\}|\{"_meta":\{` + ours + `\}\}|,?"_meta":\{` + ours + `\}|,?` + ours + `)$`)
	put, left := 0, 0
	for _, file := range files {
		synctest.Test(t, func(t *testing.T) {
			e := readExchange(t, file)
			var got string
			n := newNetwork()
			o, _ := traced()
			route := plain(upstream(t, n, "up.test", e.serve(1<<20, &got)))
			route.Meta, route.TraceMeta = map[string]string{"k": "v"}, true
			b := newBench(t, n, settings(map[string]config.Route{"r": route}), o)
			r := request(t, "r", e.request)
			r.Header.Set("MCP-Protocol-Version", e.version)
			response, body := b.do(t, r)
			if response.StatusCode == http.StatusBadRequest && strings.HasPrefix(filepath.Base(file), "disputed_") && got == "" {
				left++ // there is no saying where its _meta is
				return
			}
			if body != e.body || response.StatusCode != e.want {
				t.Errorf("%s: the client got %d %q", file, response.StatusCode, body)
			}
			taken, added := differ(e.request, got)
			switch {
			case got == e.request:
				left++
			case piece.MatchString(added) && (taken == "" || taken == "null"):
				put++
			default:
				t.Errorf("%s: %q became %q: %q instead of %q", file, e.request, got, added, taken)
			}
		})
	}
	if put < 150 || left < 20 {
		t.Errorf("meta was put into %d of the requests and left out of %d: this proves little", put, left)
	}
}

// differ is the piece of a that became another piece of b, each as short as may be.
func differ(a, b string) (was, is string) {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return a, b
}
