package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// A draft is a DPoP proof before it is signed.
type draft struct {
	header, key, claims map[string]any
}

// newDraft is a proof that is good at noon for a POST of http://h/v1/token.
func newDraft(t *testing.T, private *ecdsa.PrivateKey) draft {
	t.Helper()
	point, err := private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return draft{
		header: map[string]any{"typ": "dpop+jwt", "alg": "ES256"},
		key:    map[string]any{"kty": "EC", "crv": "P-256", "x": raw(point[1:33]), "y": raw(point[33:])},
		claims: map[string]any{"jti": New(Options{}).secret(), "htm": "POST", "htu": "http://h/v1/token", "iat": noon().Unix()},
	}
}

func raw(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign is the proof as a header has it.
func (d draft) sign(t *testing.T, private *ecdsa.PrivateKey) string {
	t.Helper()
	d.header["jwk"] = d.key
	text := raw([]byte(marshal(d.header))) + "." + raw([]byte(marshal(d.claims)))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + raw(signature)
}

// proven is a request with those DPoP headers.
func proven(proofs ...string) *request {
	r := &request{method: "POST", target: "/v1/token", fields: []field{{"Host", "h"}}}
	for _, p := range proofs {
		r.fields = append(r.fields, field{"DPoP", p})
	}
	return r
}

func newProver() *prover { return &prover{now: noon, seen: map[string]bool{}} }

func TestAProofNamesTheKeyThatMadeIt(t *testing.T) {
	for range 50 {
		private, public := loginKey()
		key, wrong := newProver().key(proven(newDraft(t, private).sign(t, private)))
		if wrong != "" || key != public {
			t.Fatalf("%s, %x for %x", wrong, key, public)
		}
	}
}

func TestAProofIsOfOneRequestAtOneTime(t *testing.T) {
	private, _ := loginKey()
	for name, change := range map[string]func(draft){
		"another type":        func(d draft) { d.header["typ"] = "JWT" },
		"another algorithm":   func(d draft) { d.header["alg"] = "none" },
		"another kind of key": func(d draft) { d.key["kty"] = "RSA" },
		"another curve":       func(d draft) { d.key["crv"] = "P-384" },
		"another method":      func(d draft) { d.claims["htm"] = "GET" },
		"another host":        func(d draft) { d.claims["htu"] = "http://i/v1/token" },
		"another path":        func(d draft) { d.claims["htu"] = "http://h/v1/tokens" },
		"another scheme":      func(d draft) { d.claims["htu"] = "https://h/v1/token" },
		"too old":             func(d draft) { d.claims["iat"] = noon().Add(-6 * time.Minute).Unix() },
		"too young":           func(d draft) { d.claims["iat"] = noon().Add(6 * time.Minute).Unix() },
		"no time":             func(d draft) { delete(d.claims, "iat") },
		"no id":               func(d draft) { d.claims["jti"] = "" },
		"a key cut short":     func(d draft) { d.key["x"] = raw(make([]byte, 31)) },
		"a key on no curve":   func(d draft) { d.key["x"] = d.key["y"] },
		"a key that is none":  func(d draft) { d.key["y"] = "%" },
		"a number for a name": func(d draft) { d.claims["jti"] = 7 },
	} {
		d := newDraft(t, private)
		change(d)
		if _, wrong := newProver().key(proven(d.sign(t, private))); wrong == "" {
			t.Errorf("%s: it is taken", name)
		}
	}
}

func TestAProofIsSignedByItsKeyAlone(t *testing.T) {
	private, _ := loginKey()
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := newDraft(t, private).sign(t, private)
	text := good[:strings.LastIndexByte(good, '.')+1]
	for name, proofs := range map[string][]string{
		"none":               nil,
		"two":                {good, newDraft(t, private).sign(t, private)},
		"one of another key": {newDraft(t, private).sign(t, other)},
		"no signature":       {text},
		"a short signature":  {text + raw(make([]byte, 63))},
		"an empty signature": {text + raw(make([]byte, 64))},
		"two parts":          {strings.TrimSuffix(text, ".")},
		"no base64":          {"%." + good},
		"padded base64":      {good + "=="},
	} {
		if _, wrong := newProver().key(proven(proofs...)); wrong == "" {
			t.Errorf("%s: it is taken", name)
		}
	}
}

func TestAProofIsTakenOnce(t *testing.T) {
	private, _ := loginKey()
	p := newProver()
	proof := newDraft(t, private).sign(t, private)
	if _, wrong := p.key(proven(proof)); wrong != "" {
		t.Fatal(wrong)
	}
	if _, wrong := p.key(proven(proof)); wrong != "jti is empty, or was there before" {
		t.Errorf("again: %q", wrong)
	}
	if _, wrong := p.key(proven(newDraft(t, private).sign(t, private))); wrong != "" {
		t.Errorf("another of the same key: %s", wrong)
	}
}

func TestAProofNamesTheURLWithoutItsQuery(t *testing.T) {
	private, _ := loginKey()
	r := proven(newDraft(t, private).sign(t, private))
	r.target += "?x=1"
	if _, wrong := newProver().key(r); wrong != "" {
		t.Error(wrong)
	}
}
