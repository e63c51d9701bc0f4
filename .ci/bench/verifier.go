package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
)

// A verifier makes each request's signature anew from what arrived, and compares. It takes one key's, for one
// service in one region.
type verifier struct {
	keyID, secret, token string
	region, service      string
	keys                 *sync.Map // signing key by date
}

// verify reports whether a request is signed.
func (v verifier) verify(h *head, body []byte) bool {
	claim, ok := strings.CutPrefix(string(h.get("Authorization")), "AWS4-HMAC-SHA256 Credential=")
	if !ok {
		return false
	}
	credential, rest, _ := strings.Cut(claim, ", SignedHeaders=")
	signed, signature, _ := strings.Cut(rest, ", Signature=")
	date, _, _ := strings.Cut(strings.TrimPrefix(credential, v.keyID+"/"), "/")
	scope := date + "/" + v.region + "/" + v.service + "/aws4_request"
	names := strings.Split(signed, ";")
	if credential != v.keyID+"/"+scope || !slices.Contains(names, "host") || string(h.get("X-Amz-Security-Token")) != v.token {
		return false
	}
	var b strings.Builder
	method, target, _ := bytes.Cut(h.first, []byte(" "))
	target, _, _ = bytes.Cut(target, []byte(" "))
	b.Write(method)
	b.WriteString("\n")
	b.Write(target)
	b.WriteString("\n\n") // no query
	for _, name := range names {
		b.WriteString(name + ":")
		b.Write(h.get(name))
		b.WriteString("\n")
	}
	sum := sha256.Sum256(body)
	b.WriteString("\n" + signed + "\n" + hex.EncodeToString(sum[:]))
	whole := sha256.Sum256([]byte(b.String()))
	toSign := "AWS4-HMAC-SHA256\n" + string(h.get("X-Amz-Date")) + "\n" + scope + "\n" + hex.EncodeToString(whole[:])
	return hmac.Equal([]byte(signature), []byte(hex.EncodeToString(mac(v.key(date), toSign))))
}

// key is what a day's requests are signed with.
func (v verifier) key(date string) []byte {
	if key, ok := v.keys.Load(date); ok {
		return key.([]byte)
	}
	key := []byte("AWS4" + v.secret)
	for _, part := range []string{date, v.region, v.service, "aws4_request"} {
		key = mac(key, part)
	}
	v.keys.Store(date, key)
	return key
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
