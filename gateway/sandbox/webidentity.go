package sandbox

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	// webSubject is what the subject of an identity's token begins with: it is a service account's.
	webSubject = "system:serviceaccount:default:"

	webIssuer   = "https://oidc.sandbox.example"
	webAudience = "sts.amazonaws.com"
)

// claims are what a web identity's token says.
type claims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// WebToken is a token for an hour that lets its holder assume the identity's role: a JSON Web Token, as
// Kubernetes puts it into a file.
func (s *Sandbox) WebToken(identity string) string { return s.WebTokenFor(identity, time.Hour) }

// WebTokenFor is WebToken for as long as life says, in whole seconds. One of less than zero is over.
func (s *Sandbox) WebTokenFor(identity string, life time.Duration) string {
	now := s.now()
	text := marshal(claims{
		Issuer: webIssuer, Audience: webAudience, Subject: webSubject + s.Identity(identity).Name,
		Issued: now.Unix(), Expires: now.Add(life).Unix(),
	})
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(text))
	return signed + "." + s.webSignature(signed)
}

func (s *Sandbox) webSignature(signed string) string {
	return base64.RawURLEncoding.EncodeToString(mac(s.webKey, signed))
}

// webClaims are what a token says that the sandbox made, or what STS has against it.
func (s *Sandbox) webClaims(token string) (claims, *refusal) {
	var said claims
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 || strings.Count(token, ".") != 2 {
		return said, refuse(400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	if !hmac.Equal([]byte(s.webSignature(token[:dot])), []byte(token[dot+1:])) {
		return said, refuse(400, "InvalidIdentityToken", "Couldn't verify the signature of the token provided.")
	}
	_, payload, _ := strings.Cut(token[:dot], ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil {
		panic(fmt.Sprintf("sandbox: it signed %q: %v", payload, err))
	}
	if now := s.now().Unix(); now >= said.Expires {
		return said, refuse(400, "ExpiredTokenException", "Token expired: current date/time %d must be before the expiration date/time %d", now, said.Expires)
	}
	return said, nil
}

// assumeWithToken is AssumeRoleWithWebIdentity.
func (s *STS) assumeWithToken(w *response, form url.Values) {
	duration, no := asked(form)
	if no != nil {
		s.refuse(w, no)
		return
	}
	said, no := s.sandbox.webClaims(form.Get("WebIdentityToken"))
	if no != nil {
		s.refuse(w, no)
		return
	}
	role := s.sandbox.role(form.Get("RoleArn"))
	if role == nil || webSubject+role.Name != said.Subject {
		s.refuse(w, refuse(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"))
		return
	}
	a := Assumption{RoleARN: role.RoleARN, SessionName: form.Get("RoleSessionName"), Duration: duration, WebIdentity: true}
	s.grant(w, "AssumeRoleWithWebIdentity", s.session(role, a)+element("SubjectFromWebIdentityToken", said.Subject)+
		element("Audience", said.Audience)+element("Provider", said.Issuer))
}
