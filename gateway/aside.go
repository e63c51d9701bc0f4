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
// answer. It goes the way of every call: it takes a place, is signed, and what it lists is noted. ctx bounds it.
func (c *call) aside(ctx context.Context, method, body string) (own *call) {
	rt := c.route
	m, err := envelope.Read([]byte(body))
	if err != nil {
		panic(err) // it is ours
	}
	r := (&http.Request{Method: http.MethodPost, Header: c.r.Header.Clone(), RemoteAddr: c.r.RemoteAddr}).WithContext(ctx)
	for name := range r.Header {
		if name == "Mcp-Name" || name == "Last-Event-Id" || strings.HasPrefix(name, "Mcp-Param-") {
			delete(r.Header, name)
		}
	}
	if r.Header["Mcp-Method"] != nil || c.version() >= modern {
		r.Header.Set("Mcp-Method", method)
	}
	held := tally{memory: rt.memory}
	defer held.keep(0)
	own = newCall(rt, unheard{}, r, m, []byte(body))
	own.held, own.client = &held, ourselves
	own.ctx, own.record = rt.recorder.Call(own.ctx, r.Header, own.describe(ourselves))
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
