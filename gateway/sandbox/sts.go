package sandbox

import (
	"bytes"
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// STSOptions shape an STS. The zero value works.
type STSOptions struct {
	// Delay is how long the nth request, from 1, takes. Nil: no time.
	Delay func(n int) time.Duration

	// Life is how long the credentials say that they live, whatever was asked for. Zero: what was asked.
	Life time.Duration
}

// An Assumption is one AssumeRole that was granted.
type Assumption struct {
	// RoleARN, SessionName and ExternalID are what was asked, and Duration for how long.
	RoleARN, SessionName, ExternalID string
	Duration                         time.Duration

	// Caller is who asked.
	Caller string
}

// An STS is a server that knows AssumeRole and GetCallerIdentity.
type STS struct {
	*Server
	options  STSOptions
	verifier verifier

	mu      sync.Mutex
	asked   int          // under mu
	granted []Assumption // under mu
}

// STS starts a Security Token Service.
func (s *Sandbox) STS(o STSOptions) *STS {
	sts := &STS{options: o, verifier: verifier{sandbox: s, service: "sts"}}
	sts.Server = s.newServer(sts.answer)
	return sts
}

// Asked is how many requests came.
func (s *STS) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// Granted are the roles that were assumed, in order.
func (s *STS) Granted() []Assumption {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Assumption(nil), s.granted...)
}

func (s *STS) answer(ctx context.Context, r *request, w *response) {
	s.mu.Lock()
	s.asked++
	n := s.asked
	s.mu.Unlock()
	if s.options.Delay != nil && !pause(ctx, s.options.Delay(n)) {
		return
	}
	caller, no := s.verifier.verify(r)
	if no != nil {
		s.refuse(w, no)
		return
	}
	form, err := url.ParseQuery(string(r.body))
	switch {
	case err != nil:
		s.refuse(w, refuse(400, "MalformedQueryString", "The query string is malformed."))
	case form.Get("Action") == "AssumeRole":
		s.assume(w, caller, form)
	case form.Get("Action") == "GetCallerIdentity":
		id := s.sandbox.Identity(caller.Identity)
		s.grant(w, "GetCallerIdentity", element("Arn", id.ARN())+element("UserId", "AROA:session")+element("Account", id.Account))
	default:
		s.refuse(w, refuse(400, "InvalidAction", "Could not find operation %s", form.Get("Action")))
	}
}

func (s *STS) assume(w *response, caller Credentials, form url.Values) {
	role := s.sandbox.role(form.Get("RoleArn"))
	if role == nil {
		s.refuse(w, refuse(403, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s",
			s.sandbox.Identity(caller.Identity).ARN(), form.Get("RoleArn")))
		return
	}
	seconds, err := strconv.Atoi(form.Get("DurationSeconds"))
	if err != nil {
		seconds = 3600
	}
	a := Assumption{
		RoleARN: role.RoleARN, SessionName: form.Get("RoleSessionName"), ExternalID: form.Get("ExternalId"),
		Duration: time.Duration(seconds) * time.Second, Caller: caller.Identity,
	}
	s.mu.Lock()
	s.granted = append(s.granted, a)
	s.mu.Unlock()
	life := a.Duration
	if s.options.Life != 0 {
		life = s.options.Life
	}
	c := s.sandbox.Issue(role.Name, life)
	s.grant(w, "AssumeRole", "<Credentials>"+element("AccessKeyId", c.AccessKeyID)+element("SecretAccessKey", c.SecretAccessKey)+
		element("SessionToken", c.SessionToken)+element("Expiration", c.Expires.UTC().Format("2006-01-02T15:04:05.000Z"))+"</Credentials>"+
		"<AssumedRoleUser>"+element("Arn", role.ARN())+element("AssumedRoleId", "AROA:"+a.SessionName)+"</AssumedRoleUser>")
}

func (s *STS) grant(w *response, action, result string) {
	w.whole(http.StatusOK, "text/xml", "<"+action+"Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><"+action+"Result>"+
		result+"</"+action+"Result><ResponseMetadata>"+element("RequestId", "sandbox")+"</ResponseMetadata></"+action+"Response>")
}

func (s *STS) refuse(w *response, no *refusal) {
	w.whole(no.status, "text/xml", "<ErrorResponse><Error>"+element("Type", "Sender")+element("Code", no.kind)+
		element("Message", no.message)+"</Error>"+element("RequestId", "sandbox")+"</ErrorResponse>")
}

func element(name, text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return "<" + name + ">" + b.String() + "</" + name + ">"
}
