package sandbox

import (
	"bytes"
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
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

// STS makes a Security Token Service. It takes requests once its URL was asked for, or on Serve's listeners.
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
	return slices.Clone(s.granted)
}

func (s *STS) answer(ctx context.Context, r *request, w *response) {
	s.mu.Lock()
	s.asked++
	n := s.asked
	s.mu.Unlock()
	if s.options.Delay != nil && !pause(ctx, s.options.Delay(n)) {
		w.broken = true
		return
	}
	caller, no := s.verifier.verify(r)
	if no != nil {
		s.sandbox.ledger.refuse(no)
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
		user := "AIDA" + strings.ToUpper(id.Name)
		if session, ok := strings.CutPrefix(caller.arn, id.ARN()); ok {
			user = "AROA" + strings.ToUpper(id.Name) + ":" + session
		}
		s.grant(w, "GetCallerIdentity", element("Arn", caller.arn)+element("UserId", user)+element("Account", id.Account))
	default:
		s.refuse(w, refuse(400, "InvalidAction", "Could not find operation %s", form.Get("Action")))
	}
}

func (s *STS) assume(w *response, caller issued, form url.Values) {
	role := s.sandbox.role(form.Get("RoleArn"))
	if role == nil {
		s.refuse(w, refuse(403, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", caller.arn, form.Get("RoleArn")))
		return
	}
	duration, no := asked(form)
	if no != nil {
		s.refuse(w, no)
		return
	}
	a := Assumption{
		RoleARN: role.RoleARN, SessionName: form.Get("RoleSessionName"), ExternalID: form.Get("ExternalId"),
		Duration: duration, Caller: caller.Identity,
	}
	s.mu.Lock()
	s.granted = append(s.granted, a)
	s.mu.Unlock()
	life := a.Duration
	if s.options.Life != 0 {
		life = s.options.Life
	}
	c := s.sandbox.issue(role, a.SessionName, life)
	s.grant(w, "AssumeRole", "<Credentials>"+element("AccessKeyId", c.AccessKeyID)+element("SecretAccessKey", c.SecretAccessKey)+
		element("SessionToken", c.SessionToken)+element("Expiration", c.Expires.UTC().Format("2006-01-02T15:04:05.000Z"))+"</Credentials>"+
		"<AssumedRoleUser>"+element("Arn", role.ARN()+a.SessionName)+
		element("AssumedRoleId", "AROA"+strings.ToUpper(role.Name)+":"+a.SessionName)+"</AssumedRoleUser>")
}

// asked is how long an AssumeRole is for, or what STS has against it.
func asked(form url.Values) (time.Duration, *refusal) {
	if form.Get("RoleSessionName") == "" {
		return 0, refuse(400, "ValidationError", "1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null")
	}
	if !form.Has("DurationSeconds") {
		return time.Hour, nil
	}
	seconds, err := strconv.Atoi(form.Get("DurationSeconds"))
	if err != nil || seconds < 900 || seconds > 43200 {
		return 0, refuse(400, "ValidationError", "1 validation error detected: Value '%s' at 'durationSeconds' failed to satisfy constraint: "+
			"Member must have value between 900 and 43200", form.Get("DurationSeconds"))
	}
	return time.Duration(seconds) * time.Second, nil
}

func (s *STS) grant(w *response, action, result string) {
	w.whole(http.StatusOK, "text/xml", "<"+action+"Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><"+action+"Result>"+
		result+"</"+action+"Result><ResponseMetadata>"+element("RequestId", w.id)+"</ResponseMetadata></"+action+"Response>")
}

func (s *STS) refuse(w *response, no *refusal) {
	code, status := no.query()
	w.whole(status, "text/xml", "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"+element("Type", "Sender")+
		element("Code", code)+element("Message", no.message)+"</Error>"+element("RequestId", w.id)+"</ErrorResponse>")
}

func element(name, text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return "<" + name + ">" + b.String() + "</" + name + ">"
}
