package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
)

// A ListenPEM is what the files of tls held when they were judged. It is behind a pointer, so that printing
// a Config shows nothing of the key.
type ListenPEM struct{ cert, key, clients []byte }

// errNotJudged is a ListenTLS that did not come from Load.
var errNotJudged = errors.New("tls: its files were not read")

// On reports whether the TCP listeners serve https.
func (t ListenTLS) On() bool { return t.CertFile != "" }

// Server is the tls.Config of a server that has what the files held when they were loaded, and speaks
// HTTP/2 as well. Nil: the listeners serve http.
func (t ListenTLS) Server() (*tls.Config, error) {
	if !t.On() {
		return nil, nil
	}
	if t.Held == nil {
		return nil, errNotJudged
	}
	pair, err := tls.X509KeyPair(t.Held.cert, t.Held.key)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"},
	}
	if t.ClientCAFile != "" {
		c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		c.ClientCAs.AppendCertsFromPEM(t.Held.clients)
	}
	return c, nil
}

// SameCallers reports whether the callers that may connect are those of o: a listener is as open to them.
func (t ListenTLS) SameCallers(o ListenTLS) bool {
	return t.On() == o.On() && string(t.clients()) == string(o.clients())
}

func (t ListenTLS) clients() []byte {
	if t.Held == nil {
		return nil
	}
	return t.Held.clients
}

// listenTLS reads the files that tls names, so that what is wrong with them is known before they are used.
func (l *loading) listenTLS(t *ListenTLS) {
	if (t.CertFile == "") != (t.KeyFile == "") {
		l.problem("tls", "cert_file and key_file go together", "")
	}
	if t.ClientCAFile != "" && t.CertFile == "" && !l.broken("tls") {
		l.problem("tls/client_ca_file", "is of use on https alone", "set cert_file and key_file as well")
	}
	held := &ListenPEM{clients: l.anchors("tls/client_ca_file", &t.ClientCAFile)}
	if held.cert, held.key = l.pair("tls/cert_file", &t.CertFile, "tls/key_file", &t.KeyFile); held.key != nil {
		t.Held = held
	}
}

// anchors reads a file of certificates that a key names, and makes its path absolute. Nil: there is none.
func (l *loading) anchors(path string, name *string) []byte {
	content := l.file(path, name)
	if content != nil && !x509.NewCertPool().AppendCertsFromPEM(content) {
		l.problem(path, "there is no certificate in it", "")
	}
	return content
}

// pair does the same for a certificate and its key. Nil: one is missing, or they do not fit.
func (l *loading) pair(certPath string, certFile *string, keyPath string, keyFile *string) (cert, key []byte) {
	cert, key = l.file(certPath, certFile), l.file(keyPath, keyFile)
	if cert == nil || key == nil {
		return nil, nil
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		l.problem(certPath, "certificate and key do not fit: "+strings.TrimPrefix(err.Error(), "tls: "), "")
		return nil, nil
	}
	return cert, key
}

// file reads a file that a key names, and makes its path absolute. Nil: there is none.
func (l *loading) file(path string, name *string) []byte {
	if *name == "" {
		return nil
	}
	*name = l.beside(*name)
	content, err := l.contentOf(*name)
	if err != nil {
		l.unread(path, *name, err)
		return nil
	}
	return content
}
