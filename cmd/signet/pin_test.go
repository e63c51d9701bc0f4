package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"signet/config"
)

// A pinBench is a config whose route "r" blocks tools that are not pinned, and its upstream.
type pinBench struct {
	dir   string
	tools atomic.Value // what the upstream lists, as JSON
}

func newPinBench(t *testing.T) *pinBench {
	t.Helper()
	b := &pinBench{dir: t.TempDir()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var m struct {
			ID     json.RawMessage
			Method string
		}
		_ = json.Unmarshal(body, &m)
		w.Header().Set("Content-Type", "application/json")
		switch m.Method {
		case "initialize":
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID)
		case "tools/list":
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"tools":[%s]}}`, m.ID, b.tools.Load())
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	t.Cleanup(server.Close)
	b.write(t, "signet.yaml", fmt.Sprintf("routes:\n  r: { upstream: %q, upstream_auth: none, tools: { pin: block } }\n  s: { upstream: %q, upstream_auth: none }\n", server.URL, server.URL))
	return b
}

func (b *pinBench) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// signet runs the program with the bench's config.
func (b *pinBench) signet(args ...string) (code int, stdout, stderr string) {
	var out, bad bytes.Buffer
	p := &program{
		args: append(args, "-c", filepath.Join(b.dir, "signet.yaml")), environ: []string{"HOME=" + b.dir},
		stdout: &out, stderr: &bad,
	}
	code = p.execute()
	return code, strings.ReplaceAll(out.String(), b.dir, "DIR"), strings.ReplaceAll(bad.String(), b.dir, "DIR")
}

func (b *pinBench) load(t *testing.T) (*config.Config, error) {
	t.Helper()
	return config.Load(filepath.Join(b.dir, "signet.yaml"), config.Options{Environ: []string{"HOME=" + b.dir}})
}

const (
	toolA = `{"name":"a","description":"does <a>","inputSchema":{"type":"object","maximum":9007199254740993}}`
	toolB = `{"name":"b","description":"does b"}`
)

func TestPinAcceptsAndThenShowsWhatChanged(t *testing.T) {
	b := newPinBench(t)
	b.tools.Store(toolA + "," + toolB)
	if _, out, bad := b.signet("validate"); !strings.Contains(bad, "routes.r.tools.pin: no tool is pinned yet, and so every one is refused\n    signet pin r --accept") {
		t.Errorf("before: %s%s", out, bad)
	}
	code, out, bad := b.signet("pin")
	want := "r: 2 tools, 0 as accepted\n  new      \"a\"\n    + name: a\n    + description: does <a>\n    + inputSchema: {\n    + inputSchema:   \"maximum\": 9007199254740993,\n" +
		"    + inputSchema:   \"type\": \"object\"\n    + inputSchema: }\n  new      \"b\"\n    + name: b\n    + description: does b\n"
	if code != exitRuntime || out != want || bad != "" {
		t.Errorf("%d\n%s\nwant\n%s\n%s", code, out, want, bad)
	}
	if code, out, bad := b.signet("pin", "--accept"); code != exitOK || !strings.HasSuffix(out, "accepted in DIR/signet.lock\n") {
		t.Errorf("%d %s%s", code, out, bad)
	}
	if code, out, bad := b.signet("pin"); code != exitOK || out != "r: 2 tools, 2 as accepted\n" || bad != "" {
		t.Errorf("%d %s%s", code, out, bad)
	}
	b.tools.Store(`{"name":"c"},` + strings.Replace(toolA, "does <a>", "does a\u200b", 1))
	code, out, _ = b.signet("pin", "r")
	want = "r: 2 tools, 0 as accepted\n  changed  \"a\"\n    - description: does <a>\n    + description: does a\\u{200b}\n  hidden   \"a\" has characters that a reader does not see: U+200B\n" +
		"  new      \"c\"\n    + name: c\n  gone     \"b\"\n"
	if code != exitRuntime || out != want {
		t.Errorf("%d\n%s\nwant\n%s", code, out, want)
	}
}

func TestPinLeavesWhatWasAcceptedOfOtherRoutes(t *testing.T) {
	b := newPinBench(t)
	b.tools.Store(toolA)
	b.signet("pin", "s", "--accept")
	b.tools.Store(toolB)
	b.signet("pin", "r", "--accept")
	lock, err := config.ReadLock(filepath.Join(b.dir, "signet.lock"))
	if err != nil || lock.Schema != 1 || len(lock.Routes["s"]) != 1 || lock.Routes["r"]["b"].SHA256 == "" || lock.Routes["s"]["a"].SHA256 == "" {
		t.Errorf("%+v, %v", lock, err)
	}
	if cfg, err := b.load(t); err != nil || len(cfg.Routes["r"].Pins) != 1 || cfg.Routes["s"].Pins != nil || !strings.Contains(fmt.Sprint(cfg.Files), "signet.lock") {
		t.Errorf("%v", err)
	}
}

func TestPinRefusesWhatItCannotDo(t *testing.T) {
	b := newPinBench(t)
	b.tools.Store(`{"name":"a","name":"b"}`)
	if code, _, bad := b.signet("pin", "--accept"); code != exitRuntime || !strings.Contains(bad, "read in two ways") {
		t.Errorf("%d %s", code, bad)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "signet.lock")); err == nil {
		t.Error("it accepted what it could not read")
	}
	if code, _, bad := b.signet("pin", "x"); code != exitUsage || !strings.Contains(bad, `there is no route "x"`) {
		t.Errorf("%d %s", code, bad)
	}
	for text, want := range map[string]string{
		"{": "it is no lock", `{"schema":2}`: "its schema is 2", `{"schema":1} {}`: "it is no lock", `{"schema":1,"x":1}`: "it is no lock",
		`{"schema":1,"routes":{"r":{"a":{"sha256":"","definition":{}}}}}`: `the tool "a" of the route "r" has no hash`,
	} {
		b.write(t, "signet.lock", text)
		if _, err := b.load(t); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "routes.r.tools.pin") {
			t.Errorf("%s: %v", text, err)
		}
		if code, _, bad := b.signet("pin"); code != exitConfig || !strings.Contains(bad, want) {
			t.Errorf("%s: %d %s", text, code, bad)
		}
	}
	b.tools.Store(toolA)
	b.write(t, "signet.lock", `{"schema":1}`)
	b.write(t, "signet.lock.new", "")
	if code, _, bad := b.signet("pin", "--accept"); code != exitRuntime || !strings.Contains(bad, "signet.lock.new is there") {
		t.Errorf("%d %s", code, bad)
	}
	b.write(t, "signet.yaml", "routes:\n  r: { upstream: \"http://127.0.0.1:1/mcp\", upstream_auth: none }\n")
	if code, _, bad := b.signet("pin"); code != exitUsage || !strings.Contains(bad, "no route pins its tools") {
		t.Errorf("%d %s", code, bad)
	}
	if code, _, bad := b.signet("pin", "r"); code != exitRuntime || !strings.Contains(bad, "cannot reach 127.0.0.1") {
		t.Errorf("%d %s", code, bad)
	}
}
