package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/sandbox"
)

func TestDialConnectsElsewhereAndKeepsTheNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		pair, certFile, _ := certify(t, time.Now().Add(time.Hour))
		var host, name string
		server := &http.Server{ErrorLog: discard(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			host, name = r.Host, r.TLS.ServerName
			answering(callAnswer)(w, r)
		})}
		l := n.listen(t, "tunnel.test:8443")
		go func() { _ = server.Serve(tlsListener(l, pair)) }()
		t.Cleanup(func() { _ = server.Close() })
		r := plain("https://up.test/mcp")
		r.TLS.CAFile, r.Dial, r.TLS.Insecure = certFile, "tunnel.test:8443", true
		f := newFailing(t, n, r)
		if _, body := f.post(t, "r", callBody); body != callAnswer || host != "up.test" || name != "up.test" {
			t.Errorf("Host %q, SNI %q: %s", host, name, body)
		}
		if n.dialed("up.test:443") != 0 || n.dialed("tunnel.test:8443") != 1 {
			t.Errorf("%d dials of the upstream, %d of the tunnel", n.dialed("up.test:443"), n.dialed("tunnel.test:8443"))
		}
	})
}

func TestDialKeepsTheSignature(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
		r := c.routes["a"]
		r.Dial = "a.test:80"
		r.Upstream = "http://public.test/mcp"
		b := newBench(t, n, settings(map[string]config.Route{"a": r}), Options{})
		if _, body := b.post(t, "a", toolCall("x", "echo", `"text":"x"`)); !isResult(body) || n.dialed("public.test:80") != 0 {
			t.Errorf("%d dials of the upstream: %s", n.dialed("public.test:80"), body)
		}
	})
}

// A relay is a proxy that connects to where it is told, if the user is right.
type relay struct {
	n    *network
	user string
	told []string
}

func (p *relay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.told = append(p.told, r.Method+" "+r.Host)
	user, secret, _ := (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
	if user+":"+secret != p.user {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	far, err := p.n.dial(r.Context(), "tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	near, buffer, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = buffer.WriteString("HTTP/1.1 200 OK\r\n\r\n")
	_ = buffer.Flush()
	go carry(far, buffer.Reader, near)
	carry(near, bufio.NewReader(far), far)
}

// carry copies until one end closes, and closes both.
func carry(to net.Conn, from io.Reader, other net.Conn) {
	_, _ = io.Copy(to, from)
	_, _ = to.Close(), other.Close()
}

func TestProxyCarriesACallAndItsPasswordStaysSecret(t *testing.T) {
	for proxy, want := range map[config.Proxy]string{
		"http://me:hunter2@proxy.test:3128": callAnswer,
		"http://me:hunter3@proxy.test:3128": "cannot reach up.test: the proxy answered 407 Proxy Authentication Required",
		"http://me:hunter2@gone.test:3128":  `"outcome":"not_sent"`,
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			h := hold(t, n, "up.test", true)
			close(h.finish)
			p := &relay{n: n, user: "me:hunter2"}
			server := &http.Server{Handler: p}
			l := n.listen(t, "proxy.test:3128")
			go func() { _ = server.Serve(l) }()
			t.Cleanup(func() { _ = server.Close() })
			r := h.route
			r.Proxy = proxy
			f := newFailing(t, n, r)
			_, body := f.post(t, "r", callBody)
			if !strings.Contains(body, want) || strings.Contains(body, "hunter") {
				t.Errorf("%s: %s", proxy, body)
			}
			if want == callAnswer && (n.dialed("proxy.test:3128") != 1 || p.told[0] != "CONNECT up.test:443" || h.proto.Load() != "HTTP/2.0") {
				t.Errorf("%d dials of the proxy, %v, %v", n.dialed("proxy.test:3128"), p.told, h.proto.Load())
			}
		})
	}
}

func TestProxyIsTheEnvironmentsUnlessTheRouteSaysOtherwise(t *testing.T) {
	environments := reflect.ValueOf(http.ProxyFromEnvironment).Pointer()
	for name, test := range map[string]struct {
		wires wires
		env   bool
		none  bool
	}{
		"env":                 {wires{proxy: config.ProxyEnv}, true, false},
		"none":                {wires{proxy: config.ProxyNone}, false, true},
		"a URL":               {wires{proxy: "http://proxy.test"}, false, false},
		"dial wins over env":  {wires{proxy: config.ProxyEnv, dial: "x:1"}, false, true},
		"dial wins over none": {wires{proxy: config.ProxyNone, dial: "x:1"}, false, true},
	} {
		way := test.wires.way()
		if (way == nil) != test.none || way != nil && (reflect.ValueOf(way).Pointer() == environments) != test.env {
			t.Errorf("%s: another way", name)
		}
	}
}

// AWS_CA_BUNDLE is a route's ca_file once the config is loaded, so a change of its contents is one of the route.
func TestPitfall43_TheCABundleOfAWSIsTrustedAndFollowed(t *testing.T) {
	pair, certFile, _ := certify(t, time.Now().Add(time.Hour))
	_, otherFile, _ := certify(t, time.Now().Add(time.Hour))
	up, _ := secure(t, tlsConfig(pair), answering(callAnswer))
	path := t.TempDir() + "/signet.yaml"
	text := "auth: { mode: none }\nroutes: { r: { upstream: \"" + up.URL + "/mcp\", upstream_auth: none, proxy: none } }\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func() *config.Config {
		t.Helper()
		cfg, err := config.Load(path, config.Options{Environ: []string{"HOME=" + t.TempDir(), "AWS_CA_BUNDLE=" + certFile}})
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	f := overTCP(t, load())
	response, err := f.Do(f.newRequest(t.Context(), "r", callBody))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, _ := io.ReadAll(response.Body); string(body) != callAnswer {
		t.Errorf("%s", body)
	}
	if changes, err := f.gateway.Reload(t.Context(), load(), nil); err != nil || len(changes.Kept) != 1 {
		t.Errorf("nothing changed: %+v, %v", changes, err)
	}
	other, err := os.ReadFile(otherFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(certFile, other, 0o600); err != nil {
		t.Fatal(err)
	}
	if changes, err := f.gateway.Reload(t.Context(), load(), nil); err != nil || !reflect.DeepEqual(changes.Parts, map[string][]string{"r": {partConnections}}) {
		t.Errorf("another bundle: %+v, %v", changes, err)
	}
}
