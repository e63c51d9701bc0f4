package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
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
	number     int
	generation *credentials.Generation // nil: not signed
	request    *http.Request
	record     *telemetry.Attempt
	connected  bool // a connection was there: bytes may have been written
	reused     bool // it had served before
}

// forward takes the call's place, and sends it until it is answered: once, or twice when AWS refused the
// credentials and newer ones exist. Nothing waits between signing and sending.
func (c *call) forward() {
	if err := c.route.pool.take(c.ctx); err != nil {
		c.fail(c.notAdmitted(err))
		return
	}
	defer c.route.pool.give()
	for n := 1; c.try(n); n++ {
	}
}

// try sends the call once and answers it, or reports that it is to be sent again.
func (c *call) try(n int) (again bool) {
	a := &attempt{number: n}
	if c.route.identity != nil {
		generation, err := c.credentials()
		if err != nil {
			c.fail(c.noCredentials(err))
			return false
		}
		a.generation = generation
	}
	if fault := c.prepare(a); fault != nil {
		c.fail(fault)
		return false
	}
	response, err := c.roundTrip(a)
	if err != nil {
		c.fail(c.noResponse(a, err))
		a.record.End(c.ending)
		return false
	}
	defer func() { _ = response.Body.Close() }()
	c.ending.Status = response.StatusCode
	a.record.Answered(response.StatusCode, response.Proto, a.reused)
	again = c.answer(a, response)
	a.record.End(c.ending)
	if again {
		c.ending = telemetry.Ending{}
	}
	return again
}

// credentials are what to sign with. Only a call that has to wait for them has a span of the wait.
func (c *call) credentials() (*credentials.Generation, error) {
	cache, now := c.route.identity.cache, time.Now()
	if cache.Ready(now) {
		return cache.Get(c.ctx, now)
	}
	defer c.record.Wait(c.ctx, "signet.credentials.wait")()
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
	if len(c.body) > 0 {
		// net/http knows this type as in memory and writes head and body at once.
		a.request.Body = io.NopCloser(bytes.NewReader(c.body))
		a.request.ContentLength = int64(len(c.body))
	}
	ctx, record := c.record.Attempt(c.ctx, a.request.Header, target.Hostname(), rt.port, a.number)
	a.record = record
	a.request = a.request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { a.connected, a.reused = true, info.Reused },
	}))
	if g := a.generation; g != nil {
		scope := rt.scope
		if scope.Region == "" {
			scope.Region = g.Region
		}
		if scope.Region == "" {
			return c.fault(envelope.CodeCredentials, "no_region", notSent,
				"no region: set region on the route, in the profile, or AWS_REGION")
		}
		err := sigv4.Sign(ctx, a.request, sigv4.Hash(c.body), g.Signer, g.Credentials, scope, time.Now())
		if err != nil {
			return c.fault(envelope.CodeCredentials, "signature", notSent, "signing: "+err.Error())
		}
		record.Signed(g.Seq, credentials.MaskKeyID(g.Credentials.AccessKeyID))
	}
	c.allowReplay(a.request)
	return nil
}

// allowReplay lets net/http send a repeatable message again, once, when a kept connection turns out to be
// dead: the empty entry is not sent. For any other message it must not: with GetBody set, one tools/call
// was sent 3,922 times to an HTTP/2 upstream that reset after reading it.
func (c *call) allowReplay(r *http.Request) {
	if !c.repeatable() {
		return
	}
	r.Header["Idempotency-Key"] = nil
	replayed := false
	r.GetBody = func() (io.ReadCloser, error) {
		if replayed {
			return nil, errSentTwice
		}
		replayed = true
		return io.NopCloser(bytes.NewReader(c.body)), nil
	}
}

// header is what the upstream is sent: what MCP needs of the client's, and the operator's.
func (c *call) header() http.Header {
	h := make(http.Header, 12)
	for name, values := range c.r.Header {
		if forwarded(name) {
			h[name] = values[:len(values):len(values)]
		}
	}
	h.Set("User-Agent", c.route.agent)
	h.Set("Accept-Encoding", "identity")
	for name, value := range c.route.config.Headers {
		h.Set(name, value)
	}
	return h
}

// forwarded reports whether a client's header reaches the upstream. Names are canonical.
func forwarded(name string) bool {
	switch name {
	case "Accept", "Content-Type", "Last-Event-Id",
		"Mcp-Protocol-Version", "Mcp-Session-Id", "Mcp-Method", "Mcp-Name":
		return true
	}
	return strings.HasPrefix(name, "Mcp-Param-")
}

// roundTrip sends the request and waits for the response to begin, within timeouts.first_byte.
func (c *call) roundTrip(a *attempt) (*http.Response, error) {
	if limit := c.route.config.Timeouts.FirstByte; limit > 0 && !c.standing() {
		timer := time.AfterFunc(limit, func() { c.cancel(errFirstByte) })
		defer timer.Stop()
	}
	// Not http.Client: it follows redirects and takes the security token along.
	return c.route.pool.RoundTrip(a.request)
}

// ended is why the call was ended from outside, or nil.
func (c *call) ended() error {
	if c.ctx.Err() == nil {
		return nil
	}
	return context.Cause(c.ctx)
}
