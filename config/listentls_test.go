package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// certificate is a new self-signed certificate for localhost and its key, in PEM.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

// listening is a config of these top lines, with a certificate beside it.
func listening(t *testing.T, lines string) string {
	cert, key := certificate(t)
	return strings.Replace(smallest, "routes:", lines+"\nroutes:", 1) + "-- cert.pem --\n" + cert + "-- key.pem --\n" + key
}

const withTLS = "tls: { cert_file: cert.pem, key_file: key.pem }"

func TestAListenerWithTLSAndKeysMayBeReachedFromElsewhere(t *testing.T) {
	for _, address := range []string{"192.168.1.2:8443", "example.com:8443"} {
		if cfg, _ := load(t, listening(t, "listen: ["+address+"]\n"+withTLS), Options{}); len(cfg.Warnings) > 0 {
			t.Errorf("%s: %v", address, cfg.Warnings)
		}
	}
	for _, address := range []string{"0.0.0.0:8443", "'[::]:8443'", "':8443'"} {
		cfg, _ := load(t, listening(t, "listen: ["+address+"]\n"+withTLS), Options{})
		if len(cfg.Warnings) != 1 || !strings.Contains(cfg.Warnings[0].Hint, "auth.allowed_hosts") {
			t.Errorf("%s: warnings %v, want one that nobody can call it by name", address, cfg.Warnings)
		}
	}
	cfg, _ := load(t, listening(t, "listen: [0.0.0.0:8443]\nauth: { allowed_hosts: [signet.corp.example] }\n"+withTLS), Options{})
	if len(cfg.Warnings) > 0 {
		t.Errorf("with names to call it by: %v", cfg.Warnings)
	}
}

func TestAListenersKeyMustFitItsCertificate(t *testing.T) {
	cert, _ := certificate(t)
	_, key := certificate(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"signet.yaml": withTLS + "\n" + smallestText, "cert.pem": cert, "key.pem": key} {
		overwrite(t, filepath.Join(dir, name), text)
	}
	_, err := Load(filepath.Join(dir, "signet.yaml"), Options{Environ: []string{"HOME=" + dir}})
	if err == nil || !strings.Contains(err.Error(), "signet.yaml:1:8: tls.cert_file: certificate and key do not fit") {
		t.Errorf("%v", err)
	}
}

// What is served is what was judged, whatever the files hold by then.
func TestListenersServeWhatTheFilesHeldWhenTheyWereLoaded(t *testing.T) {
	cfg, dir := load(t, listening(t, "tls: { cert_file: cert.pem, key_file: key.pem, client_ca_file: cert.pem }"), Options{})
	overwrite(t, filepath.Join(dir, "key.pem"), "")
	server, err := cfg.TLS.Server()
	if err != nil {
		t.Fatal(err)
	}
	if server.ClientAuth != tls.RequireAndVerifyClientCert || server.ClientCAs == nil {
		t.Error("a caller without a certificate is let in")
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	go func() { _ = tls.Server(a, server).HandshakeContext(t.Context()) }()
	client := tls.Client(b, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err := client.HandshakeContext(t.Context()); err != nil || client.ConnectionState().NegotiatedProtocol != "h2" {
		t.Errorf("%v, protocol %q", err, client.ConnectionState().NegotiatedProtocol)
	}
}

func TestAListenersFilesCountAndItsKeyIsNotPrinted(t *testing.T) {
	cfg, dir := load(t, listening(t, withTLS), Options{})
	key, err := os.ReadFile(filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Files) != 4 { // with the file of the keys
		t.Errorf("files %v", cfg.Files)
	}
	line := strings.Split(string(key), "\n")[1]
	for _, text := range []string{fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", *cfg), fmt.Sprintf("%v", cfg.TLS)} {
		if strings.Contains(text, line) || strings.Contains(text, fmt.Sprint([]byte(line))[1:40]) {
			t.Errorf("the key is in %s", text)
		}
	}
	cert, next := certificate(t)
	overwrite(t, filepath.Join(dir, "cert.pem"), cert)
	overwrite(t, filepath.Join(dir, "key.pem"), next)
	renewed, err := Load(cfg.Path, Options{Environ: []string{"HOME=" + dir}})
	if err != nil {
		t.Fatal(err)
	}
	if renewed.Hash == cfg.Hash || reflect.DeepEqual(renewed.TLS, cfg.TLS) {
		t.Error("a renewed certificate is no change")
	}
	if !renewed.TLS.SameCallers(cfg.TLS) || renewed.TLS.SameCallers(ListenTLS{}) {
		t.Error("a renewed certificate lets others in, or https and http let in the same")
	}
}

func TestWithoutTLSThereIsNoServersConfig(t *testing.T) {
	if server, err := (ListenTLS{}).Server(); server != nil || err != nil {
		t.Errorf("%v, %v", server, err)
	}
	if _, err := (ListenTLS{CertFile: "cert.pem"}).Server(); err == nil {
		t.Error("files that were never read serve")
	}
}
