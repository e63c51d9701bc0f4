package sandbox

import (
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A webAnswer is STS's answer to AssumeRoleWithWebIdentity, or its refusal.
type webAnswer struct {
	Credentials struct {
		AccessKeyID     string    `xml:"AccessKeyId"`
		SecretAccessKey string    `xml:"SecretAccessKey"`
		SessionToken    string    `xml:"SessionToken"`
		Expiration      time.Time `xml:"Expiration"`
	} `xml:"AssumeRoleWithWebIdentityResult>Credentials"`
	ARN      string `xml:"AssumeRoleWithWebIdentityResult>AssumedRoleUser>Arn"`
	Subject  string `xml:"AssumeRoleWithWebIdentityResult>SubjectFromWebIdentityToken"`
	Audience string `xml:"AssumeRoleWithWebIdentityResult>Audience"`
	Provider string `xml:"AssumeRoleWithWebIdentityResult>Provider"`
	Code     string `xml:"Error>Code"`
	Message  string `xml:"Error>Message"`
}

// assumeWith asks an STS for a role with a token, and signs nothing.
func assumeWith(t *testing.T, service *STS, role, token, session string) (status int, answer webAnswer) {
	t.Helper()
	form := url.Values{
		"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"}, "RoleArn": {role},
		"RoleSessionName": {session}, "WebIdentityToken": {token},
	}
	status, header, body := ask(t, service.URL(), "POST", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	if err := xml.Unmarshal([]byte(body), &answer); err != nil || header.Get("Content-Type") != "text/xml" {
		t.Fatalf("%v %v %s", err, header, body)
	}
	return status, answer
}

func TestAWebIdentitysTokenIsWorthItsRole(t *testing.T) {
	s, service, _ := newSTS(t, STSOptions{Life: time.Minute})
	agent := s.Identity("agent")
	status, got := assumeWith(t, service, agent.RoleARN, s.WebToken("agent"), "pod-1")
	if status != 200 || got.ARN != agent.ARN()+"pod-1" || got.Subject != "system:serviceaccount:default:agent" ||
		got.Audience != "sts.amazonaws.com" || got.Provider != "https://oidc.sandbox.example" {
		t.Fatalf("%d %+v", status, got)
	}
	c := got.Credentials
	set := registered(t, s, "agent", c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	if left := set.Expires.Sub(c.Expiration); left < 0 || left >= time.Millisecond {
		t.Errorf("it says %s, and expires at %s", c.Expiration, set.Expires)
	}
	want := Assumption{RoleARN: agent.RoleARN, SessionName: "pod-1", Duration: time.Hour, WebIdentity: true}
	if all := service.Granted(); len(all) != 1 || all[0] != want {
		t.Errorf("%+v", all)
	}
}

func TestAWebIdentitysTokenIsAJSONWebToken(t *testing.T) {
	s := New(Options{Now: noon})
	parts := strings.Split(s.WebToken("agent"), ".")
	if len(parts) != 3 {
		t.Fatalf("%q", parts)
	}
	var said claims
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	parse(t, string(text), &said)
	want := claims{"https://oidc.sandbox.example", "sts.amazonaws.com", "system:serviceaccount:default:agent", noon().Unix(), noon().Add(time.Hour).Unix()}
	if said != want {
		t.Errorf("%+v", said)
	}
}

func TestSTSRefusesOtherWebIdentityTokens(t *testing.T) {
	s, service, _ := newSTS(t, STSOptions{})
	agent, other := s.Identity("agent").RoleARN, s.Identity("other").RoleARN
	good, foreign := s.WebToken("agent"), New(Options{}).WebToken("agent")
	head, rest, _ := strings.Cut(good, ".")
	_, signature, _ := strings.Cut(rest, ".")
	_, payload, _ := strings.Cut(s.WebTokenFor("agent", 100*time.Hour), ".")
	payload, _, _ = strings.Cut(payload, ".")
	for name, test := range map[string]struct {
		role, token, session string
		status               int
		code                 string
	}{
		"none":                {agent, "", "me", 400, "InvalidIdentityToken"},
		"one that is none":    {agent, "a.b", "me", 400, "InvalidIdentityToken"},
		"one of too much":     {agent, good + ".x", "me", 400, "InvalidIdentityToken"},
		"another sandbox's":   {agent, foreign, "me", 400, "InvalidIdentityToken"},
		"one that was edited": {agent, head + "." + payload + "." + signature, "me", 400, "InvalidIdentityToken"},
		"one that is over":    {agent, s.WebTokenFor("agent", -time.Second), "me", 400, "ExpiredTokenException"},
		"another's role":      {other, good, "me", 403, "AccessDenied"},
		"a role of nobody":    {"arn:aws:iam::1:role/none", good, "me", 403, "AccessDenied"},
		"a session unnamed":   {agent, good, "", 400, "ValidationError"},
	} {
		if status, got := assumeWith(t, service, test.role, test.token, test.session); status != test.status || got.Code != test.code || got.Message == "" {
			t.Errorf("%s: %d %+v, want %d %s", name, status, got, test.status, test.code)
		}
	}
	if all := service.Granted(); len(all) != 0 || service.Asked() != 9 {
		t.Errorf("%+v of %d", all, service.Asked())
	}
}

func TestAWebIdentitysTokenEndsWithItsLife(t *testing.T) {
	at := noon()
	s := New(Options{Now: func() time.Time { return at }})
	token := s.WebTokenFor("agent", time.Minute)
	at = noon().Add(59 * time.Second)
	if _, no := s.webClaims(token); no != nil {
		t.Errorf("in its last second: %+v", no)
	}
	at = noon().Add(time.Minute)
	if _, no := s.webClaims(token); no == nil || no.kind != "ExpiredTokenException" {
		t.Errorf("after it: %+v", no)
	}
}
