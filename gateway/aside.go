package gateway

import (
	"context"
	"net/http"
	"strings"

	"signet/gateway/envelope"
)

// ourselves is who calls where the gateway does.
const ourselves = "signet"

// aside sends a message of the gateway's own to the upstream, in the session and the manner of c, and waits for the
// answer; without a body it ends the session. It goes the way of every call: it takes a place, is signed, and what it
// lists is noted. ctx bounds it. change, which may be nil, is told of the call before it is sent.
func (c *call) aside(ctx context.Context, method string, body []byte, change func(own *call)) (own *call) {
	rt := c.route
	r := (&http.Request{Method: http.MethodPost, Header: c.r.Header.Clone(), RemoteAddr: c.r.RemoteAddr}).WithContext(ctx)
	for name := range r.Header {
		if name == "Mcp-Name" || name == "Last-Event-Id" || strings.HasPrefix(name, "Mcp-Param-") {
			delete(r.Header, name)
		}
	}
	if r.Header["Mcp-Method"] != nil || c.version() >= modern {
		r.Header.Set("Mcp-Method", method)
	}
	var m envelope.Message
	if body == nil {
		r.Method = http.MethodDelete
	} else if known, err := envelope.Read(body); err == nil {
		m = known
	}
	held := tally{memory: rt.memory}
	defer held.keep(0)
	own = newCall(rt, unheard{}, r, m, body)
	own.held, own.client, own.caller, own.own = &held, ourselves, c.caller, true
	own.identity, own.profile, own.session = c.identity, c.profile, c.session
	if change != nil {
		change(own)
	}
	own.ctx, own.record = rt.recorder.Call(own.ctx, own.r.Header, own.describe(ourselves))
	defer func() { _ = recover() }() // an answer that breaks off ends its handler by a panic, and this is none
	defer own.finish()
	defer own.survive()
	own.forward()
	return own
}

// unheard is where the answer to a call of the gateway's own is written.
type unheard struct{}

// Header is one that nobody reads.
func (unheard) Header() http.Header { return http.Header{} }

// Write takes all of p.
func (unheard) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader and Flush do nothing.
func (unheard) WriteHeader(int) {}

// Flush does nothing.
func (unheard) Flush() {}
