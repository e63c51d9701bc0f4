package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"signet/gateway/credentials"
	"signet/gateway/envelope"
	"signet/gateway/sigv4"
	"signet/gateway/telemetry"
)

// errSentTwice keeps net/http from sending a body a third time.
var errSentTwice = errors.New("the request was already repeated once")

// An attempt is one request to the upstream.
type attempt struct {
	number int
	first  *attempt // the one that this repeats. Nil: there was none

	// as it is made
	generation *credentials.Generation // nil: not signed
	skew       time.Duration           // what AWS's clock was taken to be ahead
	body       []byte                  // what is sent
	request    *http.Request
	record     telemetry.Attempt
	base       context.Context         // of its requests to the pool
	cancel     context.CancelCauseFunc // ends the last of them
	mayReplay  bool                    // net/http may repeat it once by itself

	// as it goes
	early          *connection // it was taken back to wait for this one to settle. Nil: it was not
	waits, crowded int         // for how many connections it waited, and how often it found no room
	connected      bool        // there was a connection
	conn           *connection // the last one. Nil: none of ours
	from           int64       // what it had sent before
	reused         bool        // it had served before
	connectedAt    time.Time
	headed         atomic.Bool // the headers were given to an HTTP/2 connection
	shaking        atomic.Bool // a TLS handshake began
	written        bool        // something was written to an earlier connection
	resent         bool        // net/http took another after that
	sent, answered time.Time   // by our clock

	// when it is to be repeated
	reason  string        // why, as an error's
	outcome string        // what may have happened, as an error's
	pause   time.Duration // how long to wait first

	// when AWS refused it
	no      no
	next    *credentials.Generation // what to sign the next with. Nil: the route's
	lacking error                   // why there are no credentials any more
}

// forward takes the call's place, and sends it until it is answered: once, or twice when that cannot execute
// anything twice, and a third time only when its keys were replaced twice. Nothing waits between signing and sending.
func (c *call) forward() {
	if !c.permitted() || !c.pick() || !c.admit() {
		return
	}
	defer c.place.Give()
	for a := (&attempt{number: 1}); a != nil; {
		a = c.try(a)
	}
}

// try sends the call once and answers it, or is the next attempt.
func (c *call) try(a *attempt) (next *attempt) {
	if err := c.pause(a); err != nil {
		c.fail(a.since(c.interrupted(err)))
		return nil
	}
	if err := c.identify(a); err != nil {
		c.fail(a.since(c.noCredentials(err)))
		return nil
	}
	fault := c.prepare(a)
	defer a.end()
	if fault != nil {
		c.fail(a.since(fault))
		a.record.End(c.ending)
		return nil
	}
	response, err := c.roundTrip(a)
	if err != nil {
		e := c.noResponse(a, err)
		if c.repeats(a, e) {
			how := telemetry.Ending{Code: e.Code, Reason: e.Reason, Outcome: e.Outcome, Message: e.Message}
			a.record.End(how)
			return a.after(how)
		}
		if c.blames(a, err) {
			c.failed()
		}
		c.fail(a.since(e))
		a.record.End(c.ending)
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode < 500 {
		c.place.Answered() // now, not at the end: while a circuit tries, everybody waits for this word
	}
	c.ending.Status, c.heard = response.StatusCode, a.answered
	a.record.Answered(telemetry.Response{
		Status: response.StatusCode, Protocol: response.Proto, Reused: a.reused, Connected: a.connectedAt, Begun: a.answered,
	})
	if c.message.Method == "initialize" {
		a.record.Session(response.Header.Get("Mcp-Session-Id"))
	}
	if !c.conclude(a, response) {
		return nil
	}
	how := c.ending
	c.ending = telemetry.Ending{}
	return a.after(how)
}

// end ends a's context and lets go of its connection.
func (a *attempt) end() {
	a.cancel(nil)
	a.letGo()
}

// conclude answers the call, or reports that it is to be sent again. The attempt's span ends in any case: an answer
// that breaks off when it can no longer become an error ends its handler by a panic.
func (c *call) conclude(a *attempt, response *http.Response) (again bool) {
	defer func() { a.record.End(c.ending) }()
	return c.answer(a, response)
}

// identify decides as whom, and by which clock, an attempt is signed.
func (c *call) identify(a *attempt) (err error) {
	if c.identity == nil {
		return nil
	}
	a.skew = c.identity.clock.skew()
	if a.generation == nil {
		a.generation, err = c.credentials(a.skew)
	}
	var known *credentials.Error
	if c.route.config.UpstreamAuth == "sigv4-optional" && errors.As(err, &known) && known.Absent {
		return nil // there is nobody to sign as, which is another thing than somebody who cannot
	}
	return err
}

// credentials are what to sign with when AWS's clock is so far ahead. Only a call that has to wait for them
// has a span of the wait.
func (c *call) credentials(skew time.Duration) (*credentials.Generation, error) {
	cache, now := c.identity.cache, time.Now().Add(skew)
	if cache.Ready(now) {
		return cache.Get(c.ctx, now)
	}
	defer c.record.Signing(c.ctx)()
	return cache.Get(c.ctx, now)
}

// prepare builds the request, begins its span and signs it. Nothing touches the request after.
func (c *call) prepare(a *attempt) *envelope.Error {
	rt := c.route
	target := *rt.upstream
	a.request = &http.Request{
		Method: c.r.Method, URL: &target, Host: target.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: c.header(),
	}
	ctx, record := c.record.Attempt(c.ctx, a.request.Header, target.Hostname(), rt.port, a.number)
	a.record, c.attempt = record, a
	a.base = a.trace(ctx)
	a.enter()
	if a.first != nil {
		a.record.Again(a.first.reason, a.number-1)
	}
	if fault := c.dress(a); fault != nil {
		return fault
	}
	if len(a.body) > 0 {
		a.request.Body, a.request.ContentLength = a.reader(), int64(len(a.body))
	}
	if a.generation != nil {
		if fault := c.sign(ctx, a); fault != nil {
			return fault
		}
	}
	c.allowReplay(a)
	return nil
}

// reader reads the attempt's body. net/http knows this type as in memory and writes head and body at once.
func (a *attempt) reader() io.ReadCloser { return io.NopCloser(bytes.NewReader(a.body)) }

// sign signs an attempt for now, by AWS's clock.
func (c *call) sign(ctx context.Context, a *attempt) *envelope.Error {
	g, scope := a.generation, c.scope(a.generation)
	if scope.Region == "" {
		return c.fault(envelope.CodeCredentials, "no_region", notSent,
			"no region: set region on the route, in the profile, or AWS_REGION")
	}
	a.sent = time.Now()
	err := sigv4.Sign(ctx, a.request, scope.Hash(a.body), g.Signer, g.Credentials, scope, a.sent.Add(a.skew))
	if err != nil {
		return c.fault(envelope.CodeCredentials, "signature", notSent, "signing: "+err.Error())
	}
	if a.record.Recording() {
		c.tellSignature(a)
	}
	return nil
}

// tellSignature notes what a is signed with.
func (c *call) tellSignature(a *attempt) {
	g := a.generation
	a.record.Signed(telemetry.Signature{
		Source: c.identity.cache.Source(), Via: g.Via(), Generation: g.Seq,
		KeyID: credentials.MaskKeyID(g.Credentials.AccessKeyID), Account: g.Account(), Role: g.Role(),
		Age: g.Age(a.sent), Skew: a.skew,
	})
}

// scope is what a request is signed for. Its region is empty when neither the route nor g has one.
func (c *call) scope(g *credentials.Generation) sigv4.Scope {
	scope := c.route.scope
	if scope.Region == "" {
		scope.Region = g.Region
	}
	return scope
}

// allowReplay lets net/http send a repeatable message again, once, when a kept connection turns out to be
// dead: the empty entry is not sent. For any other message it must not: with GetBody set, one tools/call
// was sent 3,922 times to an HTTP/2 upstream that reset after reading it.
func (c *call) allowReplay(a *attempt) {
	a.mayReplay = !c.spent(a)
	if !a.mayReplay || !c.repeatable() {
		return
	}
	a.request.Header["Idempotency-Key"] = nil
	used := false
	a.request.GetBody = func() (io.ReadCloser, error) {
		if used {
			return nil, errSentTwice
		}
		used = true
		return a.reader(), nil
	}
}

// roundTrip sends the request and waits for the response to begin, within timeouts.first_byte.
func (c *call) roundTrip(a *attempt) (*http.Response, error) {
	if limit := c.route.config.Timeouts.FirstByte; limit > 0 && c.limit == 0 && !c.standing() {
		timer := time.AfterFunc(limit, func() { c.cancel(errFirstByte) })
		defer timer.Stop()
	}
	// Not http.Client: it follows redirects and takes the security token along.
	response, err := c.route.pool.RoundTrip(a.request)
	for err != nil && c.ended() == nil && c.reenters(a) {
		a.enter()
		if len(a.body) > 0 {
			a.request.Body = a.reader()
		}
		response, err = c.route.pool.RoundTrip(a.request)
	}
	a.answered = time.Now()
	return response, err
}

// ended is why the call was ended from outside, or nil.
func (c *call) ended() error {
	if c.ctx.Err() == nil {
		return nil
	}
	return context.Cause(c.ctx)
}
