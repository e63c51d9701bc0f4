package config

import (
	"crypto/x509"
	"path/filepath"
)

// checkBundle is the file of certificates that AWS_CA_BUNDLE names, absolute; "" if it names none or one that is of
// no use. Routes without a tls.ca_file trust it instead of the system's, as AWS's own tools do.
func (l *loading) checkBundle() string {
	path := variable(l.options.Environ, "AWS_CA_BUNDLE")
	if path == "" {
		return ""
	}
	path, err := filepath.Abs(path)
	var content []byte
	if err == nil {
		content, err = l.contentOf(path)
	}
	what, hint := "", ""
	switch {
	case err != nil:
		what, hint = reason(err), modeHint(err, "the file")
	case !x509.NewCertPool().AppendCertsFromPEM(content):
		what = "there is no certificate in it"
	default:
		return path
	}
	l.problems = append(l.problems, Problem{File: "environment", Key: "AWS_CA_BUNDLE", What: what, Hint: hint})
	return ""
}
