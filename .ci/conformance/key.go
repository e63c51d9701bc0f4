package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	stamp     = "20060102T150405Z"

	// tolerance is how far a signature's time may be off.
	tolerance = 5 * time.Minute
)

// A key is a set of credentials, and what requests are signed for with it. It shares no code with the signer of
// the gateway.
type key struct{ id, secret, token, region, service string }

// newKey is a key that nobody else knows.
func newKey() key {
	return key{id: "AKIDCONFORMANCE", secret: rand.Text(), token: rand.Text(), region: "eu-west-1", service: "mcp"}
}

// environ is the key as AWS's SDKs read it from the environment.
func (k key) environ() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + k.id, "AWS_SECRET_ACCESS_KEY=" + k.secret, "AWS_SESSION_TOKEN=" + k.token}
}

// verify reports what is wrong with a request's signature. The request has a plain path and no query.
func (k key) verify(r *http.Request, body []byte, now time.Time) error {
	claim, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm+" Credential=")
	if !ok {
		return errors.New("it is not signed")
	}
	credential, rest, _ := strings.Cut(claim, ", SignedHeaders=")
	signed, signature, _ := strings.Cut(rest, ", Signature=")
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse(stamp, date)
	if err != nil || at.Sub(now).Abs() > tolerance {
		return fmt.Errorf("it was signed at %q", date)
	}
	scope := strings.Join([]string{at.Format("20060102"), k.region, k.service, "aws4_request"}, "/")
	names := strings.Split(signed, ";")
	switch {
	case credential != k.id+"/"+scope:
		return fmt.Errorf("it was signed as %s", credential)
	case r.Header.Get("X-Amz-Security-Token") != k.token:
		return errors.New("its session token is another")
	case !slices.Contains(names, "host"):
		return errors.New("its host is not signed")
	case r.URL.RawQuery != "":
		return errors.New("it has a query")
	}
	toSign := strings.Join([]string{algorithm, date, scope, hash([]byte(canonical(r, names, body)))}, "\n")
	if !hmac.Equal([]byte(k.sign(scope, toSign)), []byte(signature)) {
		return errors.New("its signature does not match")
	}
	return nil
}

// canonical is the canonical request of AWS's Signature Version 4.
func canonical(r *http.Request, names []string, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n", r.Method, r.URL.EscapedPath())
	for _, name := range names {
		value := strings.Join(r.Header.Values(name), ",")
		if name == "host" {
			value = r.Host
		}
		fmt.Fprintf(&b, "%s:%s\n", name, strings.TrimSpace(value))
	}
	fmt.Fprintf(&b, "\n%s\n%s", strings.Join(names, ";"), hash(body))
	return b.String()
}

// sign is the signature of a string, in hex.
func (k key) sign(scope, toSign string) string {
	secret := []byte("AWS4" + k.secret)
	for part := range strings.SplitSeq(scope, "/") {
		secret = mac(secret, part)
	}
	return hex.EncodeToString(mac(secret, toSign))
}

func mac(secret []byte, text string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
