package gateway

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

var errNoCertificate = errors.New("no certificate in it")

// files are those that a config names, each read and parsed once in a build, however many routes name it.
// The empty path is a file that is not there, and no error.
type files struct {
	read  map[string]contents
	roots map[string]*x509.CertPool
	pairs map[[2]string]tls.Certificate
}

// contents of a file.
type contents struct {
	pem []byte // nil: no file
	sum sum
}

// A sum tells contents apart. The zero sum is no file's.
type sum [sha256.Size]byte

func newFiles() *files {
	return &files{read: map[string]contents{}, roots: map[string]*x509.CertPool{}, pairs: map[[2]string]tls.Certificate{}}
}

// of are the contents of a file.
func (f *files) of(path string) (contents, error) {
	c, ok := f.read[path]
	if ok || path == "" {
		return c, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return contents{}, err
	}
	c = contents{pem, sha256.Sum256(pem)}
	f.read[path] = c
	return c, nil
}

// authorities are the certificates to trust that a file holds. Nil: the system's.
func (f *files) authorities(path string) (*x509.CertPool, error) {
	pool, ok := f.roots[path]
	if ok || path == "" {
		return pool, nil
	}
	c, err := f.of(path)
	if err != nil {
		return nil, err
	}
	pool = x509.NewCertPool()
	if !pool.AppendCertsFromPEM(c.pem) {
		return nil, fmt.Errorf("%s: %w", path, errNoCertificate)
	}
	f.roots[path] = pool
	return pool, nil
}

// pair is a certificate with its key, each in a file.
func (f *files) pair(certFile, keyFile string) (tls.Certificate, error) {
	name := [2]string{certFile, keyFile}
	if pair, ok := f.pairs[name]; ok {
		return pair, nil
	}
	cert, err := f.of(certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := f.of(keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(cert.pem, key.pem)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("%s: %w", certFile, err)
	}
	f.pairs[name] = pair
	return pair, nil
}
