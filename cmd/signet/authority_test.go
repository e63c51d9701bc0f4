package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"signet/config"
)

// An authority issues certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	der, key := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	})
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, a.key, a.pem = cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

// sign makes a key and its certificate; the first of an authority is its own.
func (a *authority) sign(template *x509.Certificate) (der []byte, key *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err = x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

// issue makes a certificate with a serial number, for a server on the loopback address or for a caller.
func (a *authority) issue(serial int64) (cert, key []byte) {
	a.t.Helper()
	der, private := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// identity is a caller's certificate.
func (a *authority) identity(serial int64) []tls.Certificate {
	a.t.Helper()
	pair, err := tls.X509KeyPair(a.issue(serial))
	if err != nil {
		a.t.Fatal(err)
	}
	return []tls.Certificate{pair}
}

// listenTLS is the tls block of a config with such a certificate; callers need one of clients unless it is nil.
func (a *authority) listenTLS(serial int64, clients *authority) config.ListenTLS {
	a.t.Helper()
	dir := a.t.TempDir()
	text := "tls: { cert_file: cert.pem, key_file: key.pem }\n" + oneRoute
	if clients != nil {
		text = "tls: { cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem }\n" + oneRoute
		write(a.t, filepath.Join(dir, "ca.pem"), string(clients.pem))
	}
	a.save(dir, serial)
	write(a.t, filepath.Join(dir, "signet.yaml"), text)
	cfg, err := config.Load(filepath.Join(dir, "signet.yaml"), config.Options{Environ: []string{"HOME=" + dir}})
	if err != nil {
		a.t.Fatal(err)
	}
	return cfg.TLS
}

// save puts a new certificate into cert.pem and key.pem of a directory, each at once.
func (a *authority) save(dir string, serial int64) {
	a.t.Helper()
	cert, key := a.issue(serial)
	for name, text := range map[string][]byte{"cert.pem": cert, "key.pem": key} {
		path := filepath.Join(dir, name)
		write(a.t, path+".new", string(text))
		if err := os.Rename(path+".new", path); err != nil {
			a.t.Fatal(err)
		}
	}
}
