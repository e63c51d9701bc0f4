package gateway

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/sandbox"
)

// A failureClass is a class of failure: what fails so, and the status that tells the truth about it.
type failureClass struct {
	code   int
	reason string
	status int
	route  func(t *testing.T, n *network) config.Route
	before int // how many calls went before, failed or not
}

// answeredBy is a class whose upstream answers so, on a route that is changed so.
func answeredBy(code int, reason string, status int, h http.HandlerFunc, change func(*config.Route)) failureClass {
	return failureClass{code, reason, status, func(t *testing.T, n *network) config.Route {
		r := plain(upstream(t, n, "up.test", h))
		if change != nil {
			change(&r)
		}
		return r
	}, 0}
}

// dialledBy is a class of what goes wrong before there is a connection.
func dialledBy(code int, reason string, status int, way func(context.Context, dialer) (net.Conn, error)) failureClass {
	return failureClass{code, reason, status, func(_ *testing.T, n *network) config.Route {
		n.through("up.test:80", way)
		return plain("http://up.test/mcp")
	}, 0}
}

// refusedBy is a class of what AWS says no with, to credentials that have no others.
func refusedBy(reason string, refusal reply) failureClass {
	return failureClass{-31011, reason, 502, func(t *testing.T, n *network) config.Route {
		c := newCloud(t, sandbox.STSOptions{}, inMemory(t, n), "a")
		static(t, c.Sandbox, "a")
		r := c.routes["a"]
		r.Profile = ""
		r.Upstream = upstream(t, n, "up.test", func(w http.ResponseWriter, _ *http.Request) { refusal.write(w) })
		return r
	}, 0}
}

// signedAs is a class of a profile that gives no credentials.
func signedAs(reason, profile string) failureClass {
	return failureClass{-31010, reason, 503, func(t *testing.T, n *network) config.Route {
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(profiles), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("AWS_CONFIG_FILE", file)
		t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file+"none")
		t.Setenv("AWS_ACCESS_KEY_ID", "")
		r := plain(upstream(t, n, "up.test", answering(callAnswer)))
		r.UpstreamAuth, r.Service, r.Region, r.Profile = "sigv4", "svc", "eu-west-1", profile
		return r
	}, 0}
}

// profiles give no credentials, each for a reason of its own.
const profiles = `
[profile process]
credential_process = /bin/false
[profile mfa]
role_arn = arn:aws:iam::111122223333:role/r
source_profile = base
mfa_serial = arn:aws:iam::111122223333:mfa/me
[profile base]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = secret
[profile empty]
region = eu-west-1
[profile corp]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = reader
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1
`

func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func stall(w http.ResponseWriter, r *http.Request) {
	answering("{")(w, r)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func one(r *config.Route) { r.Limits.Calls, r.Limits.QueueWait = 1, time.Second }

// classes are the classes of failures that have an id to answer. Those inside a stream are not among them: the
// status is out by then.
func classes() map[string]failureClass {
	after := func(n int, c failureClass) failureClass { c.before = n; return c }
	return map[string]failureClass{
		"dns":          {-31001, "dns", 502, func(*testing.T, *network) config.Route { return plain("http://nowhere.test/mcp") }, 0},
		"refused":      dialledBy(-31001, "refused", 502, func(context.Context, dialer) (net.Conn, error) { return nil, syscall.ECONNREFUSED }),
		"fds":          dialledBy(-31020, "fds", 503, func(context.Context, dialer) (net.Conn, error) { return nil, syscall.EMFILE }),
		"tls":          {-31001, "tls", 502, plainTLS, 0},
		"circuit open": after(5, answeredBy(-31001, "circuit_open", 503, status(502, "", ""), nil)),
		"connect": dialledBy(-31002, "connect", 504, func(ctx context.Context, _ dialer) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}),
		"first byte":        answeredBy(-31002, "first_byte", 504, hang, nil),
		"idle":              answeredBy(-31002, "idle", 504, stall, nil),
		"total":             answeredBy(-31002, "total", 504, hang, func(r *config.Route) { r.Timeouts.Call = time.Second }),
		"redirect":          answeredBy(-31003, "redirect_refused", 502, status(302, "", "", "Location", "http://other.test"), nil),
		"html":              answeredBy(-31003, "html", 502, status(200, "text/html", "<html>"), nil),
		"truncated":         answeredBy(-31003, "truncated", 502, status(200, "application/json", "{"), nil),
		"encoding":          answeredBy(-31003, "encoding", 502, status(200, "application/json", "", "Content-Encoding", "br"), nil),
		"status":            answeredBy(-31003, "status", 502, status(500, "text/html", "<html>"), nil),
		"a login":           answeredBy(-31003, "status", 502, status(401, "", "", "WWW-Authenticate", "Bearer"), nil),
		"throttled":         answeredBy(-31004, "upstream_throttled", 429, status(429, "", "", "Retry-After", "7"), nil),
		"throttled, 503":    answeredBy(-31004, "upstream_throttled", 503, status(503, "", "", "Retry-After", "7"), nil),
		"no profile":        signedAs("no_profile", "nobody"),
		"no credentials":    signedAs("no_credentials", "empty"),
		"sso expired":       signedAs("sso_expired", "corp"),
		"process failed":    signedAs("process_failed", "process"),
		"mfa":               signedAs("mfa", "mfa"),
		"expired":           refusedBy("expired", reply{403, "ExpiredTokenException", "", 0}),
		"signature":         refusedBy("signature", reply{403, "InvalidSignatureException", "", 0}),
		"access denied":     refusedBy("access_denied", reply{403, "AccessDeniedException", "", 0}),
		"queue full":        after(-1, answeredBy(-31020, "queue_full", 503, hang, func(r *config.Route) { one(r); r.Limits.Queue = 0 })),
		"queue timeout":     after(-1, answeredBy(-31020, "queue_timeout", 503, hang, one)),
		"rate":              after(1, answeredBy(-31020, "rate", 429, answering(callAnswer), func(r *config.Route) { r.Limits.Rate = 0.01 })),
		"an internal fault": dialledBy(-31003, "internal", 502, func(context.Context, dialer) (net.Conn, error) { panic("a fault of ours") }),
	}
}

// plainTLS is a route to an upstream that speaks no TLS.
func plainTLS(t *testing.T, n *network) config.Route {
	server := &http.Server{ErrorLog: discard(), Handler: answering(callAnswer)}
	l := n.listen(t, "up.test:443")
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return plain("https://up.test/mcp")
}

// fails is how a call of a class is answered in a mode.
func (c failureClass) fails(t *testing.T, mode string) (response *http.Response, body string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		r := c.route(t, n)
		r.Errors = mode
		b := newBench(t, n, settings(map[string]config.Route{"r": r}), Options{})
		for range c.before {
			b.post(t, "r", callBody)
		}
		if c.before < 0 { // one that is under way
			held := request(t, "r", callBody).WithContext(until(t, time.Hour))
			go func() {
				if response, err := b.client.Do(held); err == nil {
					_ = response.Body.Close()
				}
			}()
			synctest.Wait()
		}
		response, body = b.post(t, "r", callBody)
		// A wait for credentials is drawn by lot, and the files are the test's own.
		body = regexp.MustCompile(`[^ ,]*/config(none)?|"retry_after_ms":\d+`).ReplaceAllString(body, `"retry_after_ms":0`)
	})
	return response, body
}

func TestErrorsOfEveryClassAre200ForMCPAndTheTruthForHTTPWithTheSameBody(t *testing.T) {
	for name, class := range classes() {
		t.Run(name, func(t *testing.T) {
			usual, body := class.fails(t, "mcp")
			truth, same := class.fails(t, "http")
			want := fmt.Sprintf(`{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":%d,"message":"signet: `, class.code)
			if !strings.HasPrefix(body, want) || !strings.Contains(body, fmt.Sprintf(`"reason":%q`, class.reason)) {
				t.Errorf("%s\nwant %s... of reason %s", body, want, class.reason)
			}
			if usual.StatusCode != 200 || truth.StatusCode != class.status {
				t.Errorf("errors: mcp %d, errors: http %d; want 200 and %d", usual.StatusCode, truth.StatusCode, class.status)
			}
			if same != body {
				t.Errorf("errors: http has another body\n%s\n%s", same, body)
			}
			if strings.Contains(body, "retry_after_ms") != (truth.Header.Get("Retry-After") != "") || usual.Header.Get("Retry-After") != "" {
				t.Errorf("Retry-After: %q, and %q of 200: %s", truth.Header.Get("Retry-After"), usual.Header.Get("Retry-After"), body)
			}
			if truth.Header.Get("Content-Type") != "application/json" || truth.Header.Get("WWW-Authenticate")+truth.Header.Get("Location") != "" {
				t.Errorf("%v", truth.Header)
			}
		})
	}
}

func TestErrorsHTTPLeavesTheUpstreamsOwnErrorItsStatusButNoLogin(t *testing.T) {
	const said = `{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":-32601,"message":"no"}}`
	for upstream, want := range map[int]int{400: 400, 404: 404, 429: 429, 500: 500, 401: 502} {
		synctest.Test(t, func(t *testing.T) {
			b := alone(t, status(upstream, "application/json", said), func(r *config.Route) { r.Errors = "http" })
			if response, body := b.post(t, "r", callBody); response.StatusCode != want || body != said {
				t.Errorf("%d: %d %s, want %d", upstream, response.StatusCode, body, want)
			}
		})
	}
}

func TestErrorsHTTPEndsAStreamWithALastEventAndTellsOfNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, slowly(0, event(progress)), func(r *config.Route) { r.Errors = "http" })
		if response, body := b.post(t, "r", callBody); response.StatusCode != 200 || !strings.Contains(body, `"code":-31005`) {
			t.Errorf("%d %s", response.StatusCode, body)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, status(503, "", "", "Retry-After", "7"), func(r *config.Route) { r.Errors = "http" })
		response, body := b.post(t, "r", `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
		if response.StatusCode != 503 || response.Header.Get("Retry-After") != "7" || !strings.Contains(body, `"code":-31004`) {
			t.Errorf("%d %v %s", response.StatusCode, response.Header, body)
		}
	})
}

func TestErrorsFollowTheConfigOnReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := alone(t, status(500, "", ""), nil)
		for _, mode := range []string{"http", "mcp"} {
			cfg := *b.gateway.current.Load().config
			r := cfg.Routes["r"]
			r.Errors = mode
			cfg.Routes = map[string]config.Route{"r": r}
			if _, err := b.gateway.Reload(t.Context(), &cfg, nil); err != nil {
				t.Fatal(err)
			}
			want := map[string]int{"http": 502, "mcp": 200}[mode]
			if response, body := b.post(t, "r", callBody); response.StatusCode != want {
				t.Errorf("errors: %s: %d %s", mode, response.StatusCode, body)
			}
		}
	})
}
