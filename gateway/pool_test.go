package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// certify makes a self-signed certificate for 127.0.0.1 and writes it and its key as PEM files.
func certify(t testing.TB, until time.Time) (pair tls.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "up.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, certFile, keyFile
}

// secure is an upstream over TLS that answers every call, and counts connections.
func secure(t *testing.T, c *tls.Config, handler http.HandlerFunc) (server *httptest.Server, connections *atomic.Int32) {
	t.Helper()
	connections = new(atomic.Int32)
	server = httptest.NewUnstartedServer(handler)
	server.TLS, server.EnableHTTP2 = c, true
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, connections
}

// through sends one call over a route of that config and returns the answer.
func through(t *testing.T, r config.Route) string {
	t.Helper()
	f := overTCP(t, settings(map[string]config.Route{"r": r}))
	response, err := f.Do(f.newRequest(t.Context(), "r", callBody))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestFault_F12_APoolTrustsWhatTheRouteTrustsAndNothingElse(t *testing.T) {
	for name, test := range map[string]struct {
		expired bool // the certificate of the upstream
		tls     func(its, another string) config.TLS
		want    string
	}{
		"its CA":       {false, func(its, _ string) config.TLS { return config.TLS{CAFile: its} }, callAnswer},
		"no CA":        {false, func(string, string) config.TLS { return config.TLS{} }, "certificate signed by unknown authority"},
		"another CA":   {false, func(_, another string) config.TLS { return config.TLS{CAFile: another} }, "certificate signed by unknown authority"},
		"another name": {false, func(its, _ string) config.TLS { return config.TLS{CAFile: its, ServerName: "other.example"} }, "other.example"},
		"anything":     {false, func(string, string) config.TLS { return config.TLS{Insecure: true} }, callAnswer},
		"expired":      {true, func(its, _ string) config.TLS { return config.TLS{CAFile: its} }, "the certificate of up.example expired on 1999-12-31"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // midnight UTC of 2000-01-01
				until := time.Now().Add(time.Hour)
				if test.expired {
					until = time.Now().Add(-time.Hour)
				}
				n := newNetwork()
				pair, its, _ := certify(t, until)
				_, another, _ := certify(t, until)
				server := &http.Server{Handler: answering(callAnswer), ErrorLog: discard()}
				l := tlsListener(unhurried{n.listen(t, "127.0.0.1:443")}, pair)
				go func() { _ = server.Serve(l) }()
				t.Cleanup(func() { _ = server.Close() })
				r := plain("https://127.0.0.1/mcp")
				r.TLS = test.tls(its, another)
				f := newFailing(t, n, r)
				f.atOnce(t)
				if test.want == callAnswer {
					if _, body := f.post(t, "r", callBody); body != callAnswer {
						t.Error(body)
					}
					return
				}
				if body := f.want(t, callBody, failure{-31001, "tls", "not_sent", true, 0}); !strings.Contains(body, test.want) {
					t.Errorf("%s: want %s", body, test.want)
				}
			})
		})
	}
}

func TestPoolShowsTheRoutesCertificate(t *testing.T) {
	pair, certFile, keyFile := certify(t, time.Now().Add(time.Hour))
	roots := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(leaf)
	server, _ := secure(t, &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert,
	}, answering(callAnswer))
	r := plain(server.URL + "/mcp")
	r.TLS = config.TLS{CAFile: certFile, CertFile: certFile, KeyFile: keyFile}
	if body := through(t, r); body != callAnswer {
		t.Errorf("with a certificate: %s", body)
	}
	r.TLS = config.TLS{CAFile: certFile}
	if body := through(t, r); !strings.Contains(body, `"error"`) {
		t.Errorf("without one: %s", body)
	}
}

func TestPoolSpeaksHTTP2OnlyWhereAllowed(t *testing.T) {
	pair, certFile, _ := certify(t, time.Now().Add(time.Hour))
	for allowed, want := range map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"} {
		var proto atomic.Value
		server, _ := secure(t, &tls.Config{Certificates: []tls.Certificate{pair}}, func(w http.ResponseWriter, r *http.Request) {
			proto.Store(r.Proto)
			answering(callAnswer)(w, r)
		})
		r := plain(server.URL + "/mcp")
		r.TLS.CAFile, r.Pool.HTTP2 = certFile, allowed
		if body := through(t, r); body != callAnswer || proto.Load() != want {
			t.Errorf("http2: %v: %v %s", allowed, proto.Load(), body)
		}
	}
}

func TestPoolKeepsItsConnections(t *testing.T) {
	// With net/http's default of two idle connections, 69 % of these calls would dial anew.
	const workers, calls = 16, 50
	pair, certFile, _ := certify(t, time.Now().Add(time.Hour))
	server, connections := secure(t, &tls.Config{Certificates: []tls.Certificate{pair}}, answering(callAnswer))
	r := plain(server.URL + "/mcp")
	r.TLS.CAFile, r.Pool.HTTP2 = certFile, false
	f := overTCP(t, settings(map[string]config.Route{"r": r}))
	var busy sync.WaitGroup
	for range workers {
		busy.Go(func() {
			for range calls {
				response, err := f.Do(f.newRequest(t.Context(), "r", callBody))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
		})
	}
	busy.Wait()
	if n := connections.Load(); n > 3*workers {
		t.Errorf("%d connections for %d calls by %d workers", n, workers*calls, workers)
	}
}

func TestPoolClosesWhenTheLastVersionOfItsRouteHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		open := 0
		server := &http.Server{Handler: answering(callAnswer), ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				open++
			case http.StateClosed:
				open--
			}
		}}
		l := n.listen(t, "up.test:80")
		go func() { _ = server.Serve(l) }()
		t.Cleanup(func() { _ = server.Close() })
		cfg := settings(map[string]config.Route{"r": plain("http://up.test/mcp"), "s": plain("http://up.test/mcp")})
		b := newBench(t, n, cfg, Options{})
		b.post(t, "r", callBody)
		if _, err := b.gateway.Reload(t.Context(), edited(cfg, "r", func(r *config.Route) { r.Headers = map[string]string{"X": "1"} }), nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if open != 1 || n.dialed("up.test:80") != 1 {
			t.Errorf("%d connections after a header changed, want the one that was there", open)
		}
		b.post(t, "r", callBody)
		if n.dialed("up.test:80") != 1 {
			t.Error("a changed header cost a connection")
		}
		next := *cfg
		next.Routes = map[string]config.Route{"s": cfg.Routes["s"]}
		if _, err := b.gateway.Reload(t.Context(), &next, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if open != 0 {
			t.Errorf("%d connections are open after the route was removed", open)
		}
	})
}

func TestWhyUnreachableSortsWhatHappensBeforeAConnection(t *testing.T) {
	for want, err := range map[string]error{
		"dns":     &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}},
		"connect": &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded},
		"tls":     tls.AlertError(42),
		"refused": &net.OpError{Op: "dial", Err: errors.New("something")},
	} {
		if got, text := whyUnreachable(err); got != want || text == "" {
			t.Errorf("%v is %s %q, want %s", err, got, text, want)
		}
	}
	if got, _ := whyUnreachable(context.DeadlineExceeded); got != "connect" {
		t.Errorf("a deadline is %s", got)
	}
}
