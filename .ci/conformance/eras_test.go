package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestErasTellsThemApartByHeaderOrMeta(t *testing.T) {
	say := func(who string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, _ = io.WriteString(w, who+" "+string(body))
		})
	}
	both := eras{legacy: say("legacy"), modern: say("modern")}
	const meta = `{"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
	for name, test := range map[string]struct{ version, body, want string }{
		"neither":         {"", `{"method":"initialize"}`, "legacy"},
		"an older header": {"2025-11-25", `{}`, "legacy"},
		"a header":        {"2026-07-28", `{}`, "modern"},
		"a later header":  {"2027-01-01", ``, "modern"},
		"meta":            {"", meta, "modern"},
		"no JSON":         {"", `{`, "legacy"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(test.body))
		r.Header.Set("MCP-Protocol-Version", test.version)
		w := httptest.NewRecorder()
		both.ServeHTTP(w, r)
		if got := w.Body.String(); got != test.want+" "+test.body {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestGatewaysFileSignsOnlyWhereItSays(t *testing.T) {
	g := &gateway{address: "127.0.0.1:1", file: t.TempDir() + "/signet.yaml", key: key{service: "mcp", region: "eu-west-1"}, routes: map[string]target{
		"b": {"http://127.0.0.1:2/mcp", false}, "a": {"http://127.0.0.1:3/mcp", true},
	}}
	if err := g.write("http://127.0.0.1:4"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(g.file)
	const want = `listen: ["127.0.0.1:1"]
auth:
  mode: none
  allowed_origins: ["http://127.0.0.1:4"]
routes:
  a: { upstream: "http://127.0.0.1:3/mcp", service: mcp, region: eu-west-1 }
  b: { upstream: "http://127.0.0.1:2/mcp", upstream_auth: none }
`
	if err != nil || string(got) != want {
		t.Errorf("got %v\n%s", err, got)
	}
}
