package sandbox

import (
	"bytes"
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// STSOptions shape an STS. The zero value works.
type STSOptions struct {
	// Delay is how long the nth request, from 1, takes. Nil: no time.
	Delay func(n int) time.Duration

	// Hang leaves the nth request without an answer until the client leaves. Nil: none.
	Hang func(n int) bool

	// Fail is the error code that the nth request is answered with, "Throttling" for instance, whatever it
	// asks for. Empty: it is served. Nil: all are.
	Fail func(n int) string

	// Life is how long the credentials say that they live, whatever was asked for. Zero: what was asked.
	Life time.Duration

	// Clock is how far the server's clock is ahead. Lives are counted by the sandbox's.
	Clock time.Duration
}

// An STS is a server that knows AssumeRole, AssumeRoleWithWebIdentity and GetCallerIdentity.
type STS struct {
	*Server
	options  STSOptions
	verifier verifier
	door     door

	mu      sync.Mutex
	granted []Assumption // under mu
}

// STS makes a Security Token Service. It takes requests once its URL was asked for, or on Serve's listeners.
func (s *Sandbox) STS(o STSOptions) *STS {
	sts := &STS{
		options: o, door: door{delay: o.Delay, hang: o.Hang},
		verifier: verifier{sandbox: s, service: "sts", offset: o.Clock},
	}
	sts.Server = s.newServer(sts.answer)
	return sts
}

// Asked is how many requests came.
func (s *STS) Asked() int {
	came, _ := s.door.count()
	return came
}

// MaxAtOnce is how many requests were under way at once, at most.
func (s *STS) MaxAtOnce() int {
	_, most := s.door.count()
	return most
}

// Granted are the roles that were assumed, in order.
func (s *STS) Granted() []Assumption {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.granted)
}

func (s *STS) answer(ctx context.Context, r *request, w *response) {
	w.ahead = s.options.Clock
	caller, no := s.verifier.verify(r) // as it came: a request does not age while it waits
	n, ok := s.door.enter(ctx)
	defer s.door.leave()
	if !ok {
		w.broken = true
		return
	}
	if s.options.Fail != nil {
		if code := s.options.Fail(n); code != "" {
			s.refuse(w, failure(code))
			return
		}
	}
	form, err := url.ParseQuery(string(r.body))
	action := form.Get("Action")
	switch {
	case action == "AssumeRoleWithWebIdentity": // whose token is all that it needs
		s.assumeWithToken(w, form)
	case no != nil:
		s.sandbox.ledger.refuse(no)
		s.refuse(w, no.query())
	case err != nil:
		s.refuse(w, refuse(400, "MalformedQueryString", "The query string is malformed."))
	case action == "AssumeRole":
		s.assume(w, caller, form)
	case action == "GetCallerIdentity":
		s.identify(w, caller)
	default:
		s.refuse(w, refuse(400, "InvalidAction", "Could not find operation %s", action))
	}
}

// identify says who the caller is.
func (s *STS) identify(w *response, caller issued) {
	id := s.sandbox.Identity(caller.Identity)
	user := "AIDA" + strings.ToUpper(id.Name)
	if session, ok := strings.CutPrefix(caller.arn, id.ARN()); ok {
		user = "AROA" + strings.ToUpper(id.Name) + ":" + session
	}
	s.grant(w, "GetCallerIdentity", element("Arn", caller.arn)+element("UserId", user)+element("Account", id.Account))
}

func (s *STS) grant(w *response, action, result string) {
	w.whole(http.StatusOK, "text/xml", "<"+action+"Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><"+action+"Result>"+
		result+"</"+action+"Result><ResponseMetadata>"+element("RequestId", w.id)+"</ResponseMetadata></"+action+"Response>")
}

func (s *STS) refuse(w *response, no *refusal) {
	fault := "Sender"
	if no.status >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	w.whole(no.status, "text/xml", "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"+element("Type", fault)+
		element("Code", no.kind)+element("Message", no.message)+"</Error>"+element("RequestId", w.id)+"</ErrorResponse>")
}

func element(name, text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return "<" + name + ">" + b.String() + "</" + name + ">"
}
