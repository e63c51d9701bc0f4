package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"sync"
	"time"
)

// coordinate is how many bytes a number of the curve P-256 has.
const coordinate = 32

// A prover checks DPoP headers (RFC 9449): proofs that a request's sender holds a key. It takes each once, and
// is safe for concurrent use.
type prover struct {
	now func() time.Time

	mu   sync.Mutex
	seen map[string]bool // by the proof's id; under mu
}

// A proof is a DPoP header, taken apart.
type proof struct {
	header struct {
		Type      string `json:"typ"`
		Algorithm string `json:"alg"`
		Key       struct {
			Type  string `json:"kty"`
			Curve string `json:"crv"`
			X     string `json:"x"`
			Y     string `json:"y"`
		} `json:"jwk"`
	}
	claims struct {
		ID     string `json:"jti"`
		Method string `json:"htm"`
		URL    string `json:"htu"`
		Issued int64  `json:"iat"`
	}
	signed    string // what the signature is of
	signature []byte
}

// key is the public key whose holder sent the request, or what is wrong with the proof.
func (p *prover) key(r *request) (key, wrong string) {
	all := r.all("DPoP")
	if len(all) != 1 {
		return "", "there is not exactly one DPoP header"
	}
	in, ok := parseProof(all[0])
	if !ok {
		return "", "it is no JSON Web Token"
	}
	path, _, _ := strings.Cut(r.target, "?")
	at := time.Unix(in.claims.Issued, 0)
	switch now := p.now(); {
	case in.header.Type != "dpop+jwt" || in.header.Algorithm != "ES256" || in.header.Key.Type != "EC" || in.header.Key.Curve != "P-256":
		return "", "it is not of type dpop+jwt, or not signed by ES256"
	case in.claims.Method != r.method:
		return "", "htm is not the method"
	case in.claims.URL != "http://"+r.get("Host")+path:
		return "", "htu is not the URL"
	case at.Before(now.Add(-tolerance)) || at.After(now.Add(tolerance)):
		return "", "iat is too far away"
	}
	key, ok = in.verify()
	if !ok {
		return "", "the signature is not of the key"
	}
	if !p.first(in.claims.ID) {
		return "", "jti is empty, or was there before"
	}
	return key, ""
}

func parseProof(token string) (in proof, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return in, false
	}
	in.signed = parts[0] + "." + parts[1]
	for i, into := range []any{&in.header, &in.claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			return in, false
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	in.signature = signature
	return in, err == nil
}

// verify is the proof's key, if the signature is of it. RFC 7518 has no coordinate shorter than the curve.
func (in *proof) verify() (key string, ok bool) {
	x, errX := base64.RawURLEncoding.DecodeString(in.header.Key.X)
	y, errY := base64.RawURLEncoding.DecodeString(in.header.Key.Y)
	if errX != nil || errY != nil || len(x) != coordinate || len(y) != coordinate || len(in.signature) != 2*coordinate {
		return "", false
	}
	key = string(x) + string(y)
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), []byte("\x04"+key))
	if err != nil {
		return "", false
	}
	sum := sha256.Sum256([]byte(in.signed))
	return key, ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(in.signature[:coordinate]), new(big.Int).SetBytes(in.signature[coordinate:]))
}

// first reports whether a proof's id is one that was not there before.
func (p *prover) first(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id == "" || p.seen[id] {
		return false
	}
	p.seen[id] = true
	return true
}
