package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// vanilla is get-vanilla of AWS's own test suite for Signature Version 4, and when it was signed.
func vanilla() (key, *http.Request, time.Time) {
	k := key{id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region: "us-east-1", service: "service"}
	r := httptest.NewRequest(http.MethodGet, "http://example.amazonaws.com/", nil)
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "+
		"SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
	return k, r, time.Date(2015, 8, 30, 12, 38, 0, 0, time.UTC)
}

func TestKeyKnowsAWSsOwnSignature(t *testing.T) {
	k, r, now := vanilla()
	if err := k.verify(r, nil, now); err != nil {
		t.Error(err)
	}
}

func TestKeyRefusesWhateverItDidNotSign(t *testing.T) {
	for name, change := range map[string]func(*key, *http.Request, *time.Time){
		"no signature":     func(_ *key, r *http.Request, _ *time.Time) { r.Header.Del("Authorization") },
		"another secret":   func(k *key, _ *http.Request, _ *time.Time) { k.secret += "x" },
		"another id":       func(k *key, _ *http.Request, _ *time.Time) { k.id += "x" },
		"another token":    func(k *key, _ *http.Request, _ *time.Time) { k.token = "x" },
		"another service":  func(k *key, _ *http.Request, _ *time.Time) { k.service = "mcp" },
		"another region":   func(k *key, _ *http.Request, _ *time.Time) { k.region = "eu-west-1" },
		"another host":     func(_ *key, r *http.Request, _ *time.Time) { r.Host = "example.com" },
		"another path":     func(_ *key, r *http.Request, _ *time.Time) { r.URL.Path = "/x" },
		"another method":   func(_ *key, r *http.Request, _ *time.Time) { r.Method = http.MethodPost },
		"a query":          func(_ *key, r *http.Request, _ *time.Time) { r.URL.RawQuery = "a=b" },
		"too late":         func(_ *key, _ *http.Request, now *time.Time) { *now = now.Add(time.Hour) },
		"no time":          func(_ *key, r *http.Request, _ *time.Time) { r.Header.Del("X-Amz-Date") },
		"a host unsigned":  func(_ *key, r *http.Request, _ *time.Time) { replace(r, "host;x-amz-date", "x-amz-date") },
		"a shorter result": func(_ *key, r *http.Request, _ *time.Time) { replace(r, "fbf31", "") },
	} {
		k, r, now := vanilla()
		change(&k, r, &now)
		if err := k.verify(r, nil, now); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	k, r, now := vanilla()
	if err := k.verify(r, []byte("a body"), now); err == nil {
		t.Error("another body: it was taken")
	}
}

func replace(r *http.Request, old, with string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
}

func TestHopPassesOnWhatIsSignedAndRefusesTheRest(t *testing.T) {
	var got *http.Request
	var body bytes.Buffer
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = body.ReadFrom(r.Body)
		w.Header().Set("Mcp-Session-Id", "s1")
	}))
	defer upstream.Close()
	k := newKey()
	h := newHop(k, parse(upstream.URL+"/exactly/here"))
	if err := h.signed("x"); err == nil {
		t.Error("nothing came, and that is no error")
	}

	const text = `{"id":9007199254740993}`
	ask := func(h http.Handler, secret string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:1/mcp", strings.NewReader(text))
		signer := k
		signer.secret = secret
		date := time.Now().UTC().Format(stamp)
		r.Header.Set("X-Amz-Date", date)
		r.Header.Set("X-Amz-Security-Token", k.token)
		scope := date[:8] + "/" + k.region + "/" + k.service + "/aws4_request"
		names := []string{"host", "x-amz-date", "x-amz-security-token"}
		signature := signer.sign(scope, algorithm+"\n"+date+"\n"+scope+"\n"+hash([]byte(canonical(r, names, []byte(text)))))
		r.Header.Set("Authorization", algorithm+" Credential="+k.id+"/"+scope+", SignedHeaders="+strings.Join(names, ";")+", Signature="+signature)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}

	w := ask(h, k.secret)
	if w.Code != http.StatusOK || body.String() != text || got.URL.Path != "/exactly/here" || w.Header().Get("Mcp-Session-Id") != "s1" {
		t.Errorf("signed: got %d, %q at %s", w.Code, body.String(), got.URL)
	}
	for name := range got.Header {
		if name == "Authorization" || strings.HasPrefix(name, "X-Amz-") {
			t.Errorf("the upstream got %s", name)
		}
	}
	if err := h.signed("x"); err != nil {
		t.Error(err)
	}
	if w := ask(forgetful(h), k.secret); w.Header().Get("Mcp-Session-Id") != "" {
		t.Error("a forgetful hop passed the session on")
	}
	if w := ask(h, "another"); w.Code != http.StatusForbidden {
		t.Errorf("signed with another secret: got %d", w.Code)
	}
	if err := h.signed("x"); err == nil || !strings.Contains(err.Error(), "1 requests were not signed") {
		t.Errorf("one was refused, and got %v", err)
	}
}
