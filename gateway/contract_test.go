package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"signet/config"
)

// status answers with a status, a content type and a body.
func status(code int, kind, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// An answered is what a client can tell of an error.
type answered struct {
	ID    json.RawMessage
	Error struct {
		Code    int
		Message string
		Data    struct {
			Source, Reason, Route, Outcome string
			Retryable                      bool
			RetryAfter                     int    `json:"retry_after_ms"`
			Status                         int    `json:"upstream_status"`
			Type                           string `json:"aws_error_type"`
		}
	}
}

func TestContractOfFailuresOfTheUpstream(t *testing.T) {
	const secret = "CANARY-of-the-upstream"
	for name, test := range map[string]struct {
		handler         http.HandlerFunc
		code            int
		reason, outcome string
		retryable       bool
	}{
		"web page":         {status(200, "text/html", "<html>"+secret), -31003, "html", "unknown", false},
		"plain text":       {status(200, "text/plain", secret), -31003, "content_type", "unknown", false},
		"no JSON":          {status(200, "application/json", `{"a":`+secret), -31003, "truncated", "unknown", false},
		"redirect":         {status(307, "text/html", secret, "Location", "http://other.test/x"), -31003, "redirect_refused", "rejected", false},
		"permanent move":   {status(301, "", "", "Location", "http://other.test/x"), -31003, "redirect_refused", "rejected", false},
		"401":              {status(401, "application/json", `{"message":"`+secret+`"}`, "WWW-Authenticate", "Bearer x"), -31003, "status", "rejected", false},
		"404":              {status(404, "text/plain", secret), -31003, "status", "rejected", false},
		"500":              {status(500, "text/html", secret), -31003, "status", "unknown", false},
		"502":              {status(502, "text/html", secret), -31003, "status", "unknown", false},
		"429":              {status(429, "text/html", secret), -31004, "upstream_throttled", "rejected", true},
		"503, retry after": {status(503, "text/html", secret, "Retry-After", "2"), -31004, "upstream_throttled", "rejected", true},
		"compressed":       {status(200, "application/json", callAnswer, "Content-Encoding", "br"), -31003, "encoding", "unknown", false},
		"reset after reading": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}, -31001, "broken", "unknown", false},
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, callAnswer)
		}, -31003, "truncated", "unknown", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := alone(t, test.handler, nil)
				response, body := b.post(t, "r", callBody)
				var got answered
				if err := json.Unmarshal([]byte(body), &got); err != nil {
					t.Fatalf("%v: %s", err, body)
				}
				d := got.Error.Data
				if response.StatusCode != 200 || string(got.ID) != "9007199254740993" || got.Error.Code != test.code ||
					d.Reason != test.reason || d.Outcome != test.outcome || d.Retryable != test.retryable || d.Source != "gateway" || d.Route != "r" {
					t.Errorf("%d %s", response.StatusCode, body)
				}
				if strings.Contains(body, secret) || !strings.HasPrefix(got.Error.Message, `signet: route "r": `) {
					t.Errorf("message %q", body)
				}
				for _, name := range []string{"WWW-Authenticate", "Location"} {
					if response.Header.Get(name) != "" {
						t.Errorf("%s reached the client", name)
					}
				}
				if b.net.dialed("other.test:80") != 0 {
					t.Error("a redirect was followed")
				}
			})
		})
	}
}

func TestContractOfAnUpstreamThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		b := newBench(t, n, settings(map[string]config.Route{"r": plain("http://nowhere.test/mcp")}), Options{})
		response, body := b.post(t, "r", callBody)
		if response.StatusCode != 200 || !strings.Contains(body, `"code":-31001`) || !strings.Contains(body, `"reason":"dns"`) || !strings.Contains(body, `"outcome":"not_sent"`) {
			t.Errorf("%d %s", response.StatusCode, body)
		}
	})
}

func TestContractOfJSONRPCErrorsOfTheUpstream(t *testing.T) {
	ours := `{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":-32601,"message":"no"}}`
	idless := `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no session"}}`
	for _, test := range []struct {
		upstream int
		body     string
		version  string
		want     int
	}{
		{404, ours, "2026-07-28", 404},
		{400, ours, "2026-07-28", 400},
		{400, ours, "2025-11-25", 200},
		{400, ours, "", 200},
		{500, ours, "2025-06-18", 200},
		{429, ours, "2025-06-18", 200},
		{401, ours, "2026-07-28", 200},
		{400, idless, "2025-06-18", 400},
		{200, ours, "", 200},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := alone(t, status(test.upstream, "application/json", test.body), nil)
			r := request(t, "r", callBody)
			r.Header.Set("MCP-Protocol-Version", test.version)
			response, body := b.do(t, r)
			if response.StatusCode != test.want || body != test.body {
				t.Errorf("%d for %q: %d %s, want %d and the same body", test.upstream, test.version, response.StatusCode, body, test.want)
			}
		})
	}
}

func TestContractOfStatusesThatAreTheUpstreamsWord(t *testing.T) {
	for _, test := range []struct {
		method, session string
		upstream, want  int
	}{
		{"POST", "s1", 404, 404}, {"GET", "s1", 404, 404}, {"DELETE", "s1", 404, 404},
		{"GET", "", 405, 405}, {"DELETE", "s1", 405, 405}, {"DELETE", "s1", 204, 204}, {"DELETE", "s1", 200, 200},
		{"POST", "", 404, 200}, {"GET", "", 500, 502}, {"DELETE", "", 503, 502},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := alone(t, status(test.upstream, "text/plain", "", "Allow", "POST"), nil)
			r := request(t, "r", callBody)
			if test.method != "POST" {
				r, _ = http.NewRequestWithContext(t.Context(), test.method, "http://127.0.0.1:8484/r", nil)
				r.Header.Set("Accept", "text/event-stream")
			}
			if test.session != "" {
				r.Header.Set("Mcp-Session-Id", test.session)
			}
			response, _ := b.do(t, r)
			if response.StatusCode != test.want {
				t.Errorf("%+v: %d", test, response.StatusCode)
			}
			if test.want == 405 && response.Header.Get("Allow") != "POST" {
				t.Errorf("%+v: no Allow", test)
			}
		})
	}
}

func TestContractOfNotifications(t *testing.T) {
	note := `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	for version, want := range map[string]int{"2025-06-18": 202, "": 202, "2026-07-28": 502} {
		synctest.Test(t, func(t *testing.T) {
			b := alone(t, status(500, "text/plain", "no"), nil)
			r := request(t, "r", note)
			r.Header.Set("MCP-Protocol-Version", version)
			if response, body := b.do(t, r); response.StatusCode != want || (want == 202 && body != "") {
				t.Errorf("an undelivered notification of %q: %d %s, want %d", version, response.StatusCode, body, want)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) }, nil)
		response, body := b.post(t, "r", note)
		if response.StatusCode != 202 || body != "" || response.Header.Get("Content-Type") != "" {
			t.Errorf("a delivered one: %d %q %v, want a bare 202", response.StatusCode, body, response.Header)
		}
	})
}

func TestContractAtTheDoor(t *testing.T) {
	big := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("x", 4<<20) + `"}}`
	for name, test := range map[string]struct {
		method, path, kind, body string
		status, code             int
	}{
		"unknown route":   {"POST", "/nope", "application/json", callBody, 404, -31040},
		"sub-path":        {"POST", "/r/x", "application/json", callBody, 404, -31040},
		"escaped name":    {"POST", "/%72", "application/json", callBody, 404, -31040},
		"root":            {"POST", "/", "application/json", callBody, 404, -31040},
		"query":           {"POST", "/r?x=1", "application/json", callBody, 400, -32600},
		"disabled":        {"POST", "/off", "application/json", callBody, 404, -31040},
		"no JSON":         {"POST", "/r", "application/json", `{"jsonrpc":`, 400, -32700},
		"empty":           {"POST", "/r", "application/json", ``, 400, -32700},
		"no message":      {"POST", "/r", "application/json", `7`, 400, -32600},
		"form":            {"POST", "/r", "application/x-www-form-urlencoded", callBody, 415, -32600},
		"simple CORS":     {"POST", "/r", "text/plain", callBody, 415, -32600},
		"too large":       {"POST", "/r", "application/json", big, 413, -31025},
		"PUT":             {"PUT", "/r", "application/json", callBody, 405, -32600},
		"OPTIONS":         {"OPTIONS", "/r", "", "", 405, -32600},
		"PATCH":           {"PATCH", "/r", "application/json", callBody, 405, -32600},
		"TRACE":           {"TRACE", "/r", "", "", 405, -32600},
		"HEAD":            {"HEAD", "/r", "", "", 405, 0},
		"GET, no stream":  {"GET", "/r", "", "", 405, -32600},
		"reload":          {"POST", "/-/reload", "", "", 403, -31030},
		"diff":            {"POST", "/-/diff", "", "", 403, -31030},
		"well-known":      {"GET", "/r/.well-known/oauth-protected-resource", "", "", 404, -31040},
		"at the root":     {"GET", "/.well-known/oauth-authorization-server/r", "", "", 404, -31040},
		"register":        {"POST", "/register", "application/json", `{"redirect_uris":[]}`, 404, -31040},
		"token":           {"POST", "/r/token", "application/x-www-form-urlencoded", "grant_type=x", 404, -31040},
		"authorize":       {"GET", "/r/authorize", "", "", 404, -31040},
		"no such page":    {"GET", "/-/nope", "", "", 404, -31040},
		"POST to a probe": {"POST", "/-/ready", "", "", 405, -31030},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := false
				b := alone(t, func(http.ResponseWriter, *http.Request) { asked = true }, nil)
				r, _ := http.NewRequestWithContext(t.Context(), test.method, "http://127.0.0.1:8484"+test.path, strings.NewReader(test.body))
				r.Header.Set("Content-Type", test.kind)
				response, body := b.do(t, r)
				var got answered
				_ = json.Unmarshal([]byte(body), &got)
				if response.StatusCode != test.status || got.Error.Code != test.code || strings.Contains(body, `"id"`) {
					t.Errorf("%d %s, want %d with %d and no id", response.StatusCode, body, test.status, test.code)
				}
				if test.status == 405 && response.Header.Get("Allow") == "" {
					t.Error("405 without Allow")
				}
				if asked {
					t.Error("it reached the upstream")
				}
			})
		})
	}
}

func must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(fmt.Sprint("a test's own request: ", err))
	}
	return r
}
