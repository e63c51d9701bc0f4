package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// huge is an upstream of answers that are too much: a JSON answer of 100 MB, a line of 1 GB in a stream, and 200 KB that
// are said to be gzip, which nobody asked for and which may be 268 MB once unpacked.
func huge(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	piece := []byte(strings.Repeat("x", 64<<10))
	pour := func(size int) {
		for ; size > 0; size -= len(piece) {
			if _, err := w.Write(piece[:min(size, len(piece))]); err != nil {
				return
			}
		}
	}
	switch r.URL.Path {
	case "/json":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":"`)
		pour(100 << 20)
		_, _ = io.WriteString(w, `"}`)
	case "/line":
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: ")
		pour(1 << 30)
	case "/gzip":
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		pour(200 << 10) // what they are is not looked at
	}
}

// mostHuge is how many bytes of RAM an answer may cost at its most.
const mostHuge = 32 << 20

// resident is a line of a process's status in bytes: what it has in RAM, or had at its most.
func (p *process) resident(t *testing.T, line string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), line+":")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// Row F19, of memory; gateway has the answers that are none.
func TestFault_F19_AnAnswerThatIsTooMuchCostsLittleMemory(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(huge))
	t.Cleanup(up.Close)
	var text strings.Builder
	text.WriteString(`listen: ["127.0.0.1:0"]` + "\nauth: { mode: none }\nroutes:\n")
	for _, name := range []string{"json", "line", "gzip"} {
		text.WriteString(fmt.Sprintf("  %s: { upstream: \"%s/%s\", upstream_auth: none }\n", name, up.URL, name))
	}
	p := attended(t, "", text.String())
	p.Env = append(p.Env, "PATH="+filepath.Dir(shipped(t))+":"+os.Getenv("PATH"))
	p.serve(t)
	known := p.caller(t)
	p.besides(t, known)
	for _, test := range []struct{ route, want string }{
		{"gzip", `"reason":"encoding"`}, {"line", `"code":-31025`}, {"json", strings.Repeat("x", 1<<10) + `"}`},
	} {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.Process.Pid), []byte("5"), 0); err != nil { // the most is what it is now
			t.Skipf("this system does not forget the most that a process had in RAM: %v", err)
		}
		before := p.resident(t, "VmRSS")
		answer := known.call(test.route, theMessage)
		if !strings.Contains(answer[max(0, len(answer)-2000):], test.want) {
			t.Errorf("%s: %d bytes: %.300s", test.route, len(answer), answer)
		}
		cost := p.resident(t, "VmHWM") - before
		t.Logf("%s: %d KiB more at the most", test.route, cost>>10)
		if cost > mostHuge {
			t.Errorf("%s: %d bytes of RAM more, of %d before", test.route, cost, before)
		}
		p.besides(t, known)
	}
	p.ends(t)
}
