package config

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// loaded is the config of a file with that text, in an environment.
func loaded(t *testing.T, text string, environ ...string) (*Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signet.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path, Options{Environ: append(environ, "HOME="+filepath.Dir(path))})
}

func TestAProxysPasswordIsShownNowhere(t *testing.T) {
	cfg, err := loaded(t, "routes: { a: { upstream: \"https://aws-mcp.us-east-1.api.aws/mcp\", proxy: \"http://me:${SECRET}@proxy.test:3128\" } }", "SECRET=hunter2")
	if err != nil {
		t.Fatal(err)
	}
	p := cfg.Routes["a"].Proxy
	if secret, _ := p.URL().User.Password(); secret != "hunter2" || p.URL().Host != "proxy.test:3128" {
		t.Errorf("the proxy is %s with %q", p.URL().Host, secret)
	}
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(p), fmt.Sprintf("%+v %#v %q", cfg.Routes, cfg.Routes, p), string(asJSON)} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "http://me:xxxxx@proxy.test:3128") {
			t.Errorf("%s", text)
		}
	}
	if got := Proxy("http://a:hunter2@b:%zz").String(); got != "(not shown)" {
		t.Errorf("what is no URL is shown as %q", got)
	}
}

func TestAProxyIsAWordOrAURL(t *testing.T) {
	for text, host := range map[string]string{
		"env": "", "none": "", "http://127.0.0.1:3128": "127.0.0.1:3128", "https://proxy.test/": "proxy.test",
		"socks5://[::1]:1080": "[::1]:1080", "socks5h://user@proxy.test:1080": "proxy.test:1080",
	} {
		cfg, err := loaded(t, fmt.Sprintf("routes: { a: { upstream: \"https://aws-mcp.us-east-1.api.aws/mcp\", proxy: %q } }", text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := ""
		if u := cfg.Routes["a"].Proxy.URL(); u != nil {
			got = u.Host
		}
		if got != host {
			t.Errorf("%q goes to %q, want %q", text, got, host)
		}
	}
}

func TestTheCABundleOfAWSIsTrustedWhereARouteNamesNone(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.pem")
	if err := os.WriteFile(bad, []byte("half a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(dir, "good.pem")
	if err := os.WriteFile(good, []byte(authority(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	const routes = "routes: { a: { upstream: \"https://aws-mcp.us-east-1.api.aws/mcp\" }, b: { upstream: \"http://127.0.0.1:1\", upstream_auth: none } }"
	cfg, err := loaded(t, routes, "AWS_CA_BUNDLE="+good)
	if err != nil || cfg.Routes["a"].TLS.CAFile != good || cfg.Routes["b"].TLS.CAFile != "" || !slices.Contains(cfg.Files, good) {
		t.Errorf("%v, %+v", err, cfg)
	}
	own := strings.Replace(routes, "mcp\" }", "mcp\", tls: { ca_file: "+good+" } }", 1)
	if cfg, err := loaded(t, own); err != nil || cfg.Routes["a"].TLS.CAFile != good {
		t.Errorf("%v, %+v", err, cfg)
	}
	if _, err := loaded(t, routes, "AWS_CA_BUNDLE="+bad); err == nil || err.Error() != "environment: AWS_CA_BUNDLE: there is no certificate in it" {
		t.Errorf("%v", err)
	}
}

func TestRetryAndKeepaliveCanBeSwitchedOff(t *testing.T) {
	cfg, err := loaded(t, "routes: { a: { upstream: \"https://aws-mcp.us-east-1.api.aws/mcp\", retry: { max: 0, throttle: false }, keepalive: 0s } }")
	if err != nil {
		t.Fatal(err)
	}
	if r := cfg.Routes["a"]; r.Retry != (Retry{}) || r.Keepalive != 0 {
		t.Errorf("%+v, %s", r.Retry, r.Keepalive)
	}
}

// authority is a certificate as PEM.
func authority(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
