package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"signet/config"
)

// ask lets a guard judge a GET that came in by 127.0.0.1:8484, and returns the refusal's reason, or "".
func ask(g *guard, path, host string, header http.Header) string {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host, r.Header = host, header
	_, refusal := g.admit(r)
	if refusal == nil {
		return ""
	}
	return refusal.err.Reason
}

func TestGuardAdmitsOnlyItsOwnNames(t *testing.T) {
	cfg := settings(nil)
	cfg.Auth.AllowedHosts = []string{"signet.corp.example"}
	g := newGuard(cfg)
	for host, want := range map[string]string{
		"127.0.0.1:8484":           "",
		"localhost:8484":           "",
		"LOCALHOST:8484":           "",
		"[::1]:8484":               "",
		"signet.corp.example":      "",
		"signet.corp.example:443":  "",
		"SIGNET.corp.example":      "",
		"":                         "host",
		"127.0.0.1":                "host",
		"127.0.0.1:80":             "host",
		"127.0.0.1:84840":          "host",
		"localhost.:8484":          "host",
		"127.0.0.1.evil.com:8484":  "host",
		"evil.com:8484":            "host",
		"evil.com":                 "host",
		"0.0.0.0:8484":             "host",
		"2130706433:8484":          "host",
		"0x7f000001:8484":          "host",
		"127.1:8484":               "host",
		"127.0.0.1:8484@evil.com":  "host",
		"evil.com@127.0.0.1:8484":  "host",
		"127.0.0.1:8484.evil.com":  "host",
		"signet.corp.example.evil": "host",
		"xsignet.corp.example":     "host",
		"[::2]:8484":               "host",
		"[::ffff:127.0.0.1]:8484":  "host",
		"127.0.0.1:8484,evil.com":  "host",
	} {
		for _, path := range []string{"/-/status", "/-/healthy", "/-/metrics", "/aws", "/.well-known/x", "/"} {
			if got := ask(g, path, host, nil); got != want && (want != "" || got != "no_such_route") {
				t.Errorf("Host %q on %s: refused for %q, want %q", host, path, got, want)
			}
		}
	}
}

// Where it listens on all addresses, 0.0.0.0 is no name of it: a page could reach it by that one.
func TestGuardOfAllAddressesHasNoNameOfThat(t *testing.T) {
	cfg := settings(nil)
	cfg.Listen = []string{"0.0.0.0:8484", "[::]:8484"}
	for host, want := range map[string]string{"0.0.0.0:8484": "host", "[::]:8484": "host", "127.0.0.1:8484": "no_such_route"} {
		if got := ask(newGuard(cfg), "/aws", host, nil); got != want && !(want == "no_such_route" && got == "") {
			t.Errorf("Host %q: %q, want %q", host, got, want)
		}
	}
}

func TestGuardKnowsThePortARequestCameInBy(t *testing.T) {
	g := newGuard(settings(nil))
	r := httptest.NewRequest(http.MethodGet, "/-/ready", nil)
	r.Host = "127.0.0.1:40001"
	if _, refusal := g.admit(r); refusal == nil {
		t.Error("a port that is no listener's was admitted")
	}
	own := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40001}
	r = r.WithContext(withLocal(r, own))
	if _, refusal := g.admit(r); refusal != nil {
		t.Errorf("the port the request came in by was refused: %v", refusal.err)
	}
	r.Host = "localhost"
	r = r.WithContext(withLocal(r, &net.UnixAddr{Net: "unix", Name: "/run/signet.sock"}))
	if _, refusal := g.admit(r); refusal != nil {
		t.Errorf("a unix socket has no port, yet was refused: %v", refusal.err)
	}
}

func TestGuardTakesAHostWithoutPortForTheSchemesOwn(t *testing.T) {
	g := newGuard(settings(nil))
	for _, test := range []struct {
		port    int
		secure  bool
		refused bool
	}{{443, true, false}, {80, false, false}, {443, false, true}, {80, true, true}, {8443, true, true}} {
		r := httptest.NewRequest(http.MethodGet, "/-/ready", nil)
		r.Host = "localhost"
		if test.secure {
			r.TLS = &tls.ConnectionState{}
		}
		r = r.WithContext(withLocal(r, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: test.port}))
		if _, refusal := g.admit(r); (refusal != nil) != test.refused {
			t.Errorf("%+v: %v", test, refusal)
		}
	}
}

func TestGuardRefusesPagesOfOtherOrigins(t *testing.T) {
	cfg := settings(nil)
	cfg.Auth.AllowedOrigins = []string{"https://inspector.example"}
	g := newGuard(cfg)
	for name, test := range map[string]struct {
		header http.Header
		want   string
	}{
		"no Origin":            {http.Header{}, ""},
		"allowed":              {http.Header{"Origin": {"https://inspector.example"}}, ""},
		"allowed, cross-site":  {http.Header{"Origin": {"https://inspector.example"}, "Sec-Fetch-Site": {"cross-site"}}, ""},
		"typed into a browser": {http.Header{"Sec-Fetch-Site": {"none"}}, ""},
		"another":              {http.Header{"Origin": {"https://evil.example"}}, "origin"},
		"its own name, https":  {http.Header{"Origin": {"https://127.0.0.1:8484"}}, "origin"},
		"another name of it":   {http.Header{"Origin": {"http://localhost:8484"}}, "origin"},
		"another port":         {http.Header{"Origin": {"http://127.0.0.1:8485"}}, "origin"},
		"its own, cross-site":  {http.Header{"Origin": {"http://127.0.0.1:8484"}, "Sec-Fetch-Site": {"cross-site"}}, "origin"},
		"its own, twice":       {http.Header{"Origin": {"http://127.0.0.1:8484", "http://127.0.0.1:8484"}}, "origin"},
		"null":                 {http.Header{"Origin": {"null"}}, "origin"},
		"empty":                {http.Header{"Origin": {""}}, "origin"},
		"two":                  {http.Header{"Origin": {"https://inspector.example", "https://evil.example"}}, "origin"},
		"an image's GET":       {http.Header{"Sec-Fetch-Site": {"cross-site"}}, "origin"},
		"a sibling's GET":      {http.Header{"Sec-Fetch-Site": {"same-site"}}, "origin"},
	} {
		if got := ask(g, "/-/ready", "127.0.0.1:8484", test.header); got != test.want {
			t.Errorf("%s: refused for %q, want %q", name, got, test.want)
		}
	}
}

// The official conformance suite's check localhost-host-valid-accepted, of 0.2.0-alpha.12, failed on this.
func TestGuardLetsItsOwnOriginIn(t *testing.T) {
	g := newGuard(settings(nil))
	for _, test := range []struct {
		host, origin string
		secure       bool
		want         string
	}{
		{"127.0.0.1:8484", "http://127.0.0.1:8484", false, ""},
		{"localhost:8484", "http://localhost:8484", false, ""},
		{"LocalHost:8484", "http://localhost:8484", false, ""},
		{"[::1]:8484", "http://[::1]:8484", false, ""},
		{"127.0.0.1:8484", "https://127.0.0.1:8484", true, ""},
		{"127.0.0.1:8484", "http://127.0.0.1:8484", true, "origin"},
		{"evil.example:8484", "http://evil.example:8484", false, "host"}, // DNS rebinding
	} {
		r := httptest.NewRequest(http.MethodPost, "/-/ready", nil)
		r.Host = test.host
		r.Header.Set("Origin", test.origin)
		if test.secure {
			r.TLS = &tls.ConnectionState{}
		}
		got := ""
		if _, refusal := g.admit(r); refusal != nil {
			got = refusal.err.Reason
		}
		if got != test.want {
			t.Errorf("%+v: refused for %q", test, got)
		}
	}
}

func TestGuardWantsAKeyForAllButTheProbes(t *testing.T) {
	cfg := settings(nil)
	cfg.Auth.Mode = "keys"
	cfg.Auth.Keys = []config.Key{
		{Name: "alice", Hash: sha256.Sum256([]byte("sgn_alice"))},
		{Name: "bob", Hash: sha256.Sum256([]byte("sgn_bob"))},
	}
	g := newGuard(cfg)
	for _, path := range []string{"/-/ready", "/-/healthy"} {
		if got := ask(g, path, "127.0.0.1:8484", nil); got != "" {
			t.Errorf("%s without a key: refused for %q", path, got)
		}
	}
	for _, path := range []string{"/aws", "/aws/", "/-/status", "/-/metrics", "/-/", "/", "/-/ready/", "/-/healthy/x"} {
		for name, values := range map[string][]string{
			"none": nil, "empty": {""}, "wrong": {"Bearer sgn_eve"}, "basic": {"Basic sgn_alice"},
			"bare": {"sgn_alice"}, "two": {"Bearer sgn_alice", "Bearer sgn_bob"}, "no secret": {"Bearer "},
		} {
			if got := ask(g, path, "127.0.0.1:8484", http.Header{"Authorization": values}); got != "no_key" {
				t.Errorf("%s with key %q: refused for %q, want no_key", path, name, got)
			}
		}
		if got := ask(g, path, "127.0.0.1:8484", http.Header{"Authorization": {"bearer sgn_bob"}}); got != "" {
			t.Errorf("%s with bob's key: refused for %q", path, got)
		}
	}
}

func TestGuardHidesNothingBehindAnEmptyKeyFile(t *testing.T) {
	cfg := settings(nil)
	cfg.Auth.Mode = "keys"
	if got := ask(newGuard(cfg), "/aws", "127.0.0.1:8484", nil); got != "no_key" {
		t.Errorf("with no key made yet: refused for %q, want no_key", got)
	}
}

func TestGuardAnswersOAuthProbesItself(t *testing.T) {
	cfg := settings(nil)
	cfg.Auth.Mode = "keys"
	g := newGuard(cfg)
	for path := range strings.FieldsSeq(`/.well-known/oauth-protected-resource /.well-known/oauth-protected-resource/aws
		/aws/.well-known/openid-configuration /register /authorize /token /aws/register /aws/token /aws/authorize`) {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "127.0.0.1:8484"
		if _, refusal := g.admit(r); refusal == nil || refusal.status != http.StatusNotFound {
			t.Errorf("%s: %+v, want a 404 of our own", path, refusal)
		}
	}
}

// withLocal is r's context as http.Server makes it for a connection accepted at addr.
func withLocal(r *http.Request, addr net.Addr) context.Context {
	return context.WithValue(r.Context(), http.LocalAddrContextKey, addr)
}
