package gateway

import (
	"context"
	"mime"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"signet/gateway/envelope"
	"signet/gateway/sigv4"
)

const (
	// askTransport bounds the wait for the first event of an upstream that is asked for its transport.
	askTransport = time.Second

	// askAgain is how long what an upstream said of its transport is believed.
	askAgain = time.Minute

	// maxEndpoint bounds that event. It holds a path.
	maxEndpoint = 16 << 10
)

// A transport is what is known of the one that an upstream speaks: Streamable HTTP, unless it turned out to speak
// only that of 2024-11-05, whose stream begins with an event that names another address for messages. Behind a
// route there is nothing at that address, so nothing could ever be sent.
type transport struct {
	streamable atomic.Bool // it has taken a message

	mu    sync.Mutex
	old   bool      // under mu
	asked time.Time // under mu
}

// took notes a request that was taken.
func (t *transport) took(method string) {
	if method == http.MethodPost && !t.streamable.Load() {
		t.streamable.Store(true)
	}
}

// learn keeps what was seen.
func (t *transport) learn(old bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.old, t.asked = old, time.Now()
}

// known is what was seen of late, and whether anything was. Where nothing was, the caller is the one to look; for
// the others it is Streamable HTTP meanwhile.
func (t *transport) known() (old, known bool) {
	if t.streamable.Load() {
		return false, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.asked.IsZero() && time.Since(t.asked) < askAgain {
		return t.old, true
	}
	t.old, t.asked = false, time.Now()
	return false, false
}

// predates reports whether the upstream, which refused the message with that status, speaks only the transport of
// 2024-11-05. It is asked as the specification has it: by a GET, which executes nothing, only when it never took a
// message and refused this one as such a server would, and once a minute at most.
func (c *call) predates(a *attempt, status int) bool {
	switch {
	case c.r.Method != http.MethodPost, a.no.kind != "", a.generation != nil && a.no.class != otherNo:
		return false
	case status != http.StatusBadRequest && status != http.StatusNotFound && status != http.StatusMethodNotAllowed:
		return false
	}
	old, known := c.route.transport.known()
	if known {
		return old
	}
	old = c.namesEndpoint(a)
	c.route.transport.learn(old)
	return old
}

// namesEndpoint reports whether the upstream's GET stream begins with an endpoint event.
func (c *call) namesEndpoint(a *attempt) bool {
	defer c.record.Wait(c.ctx, "signet.transport.ask")()
	ctx, cancel := context.WithTimeout(c.ctx, askTransport)
	defer cancel()
	r := (&http.Request{
		Method: http.MethodGet, URL: a.request.URL, Host: a.request.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
	}).WithContext(ctx)
	r.Header.Set("User-Agent", c.route.agent)
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Accept-Encoding", "identity")
	for name, value := range c.route.config.Headers {
		r.Header.Set(name, value)
	}
	if g := a.generation; g != nil {
		scope := c.scope(g)
		if sigv4.Sign(ctx, r, scope.Hash(nil), g.Signer, g.Credentials, scope, time.Now().Add(a.skew)) != nil {
			return false
		}
	}
	response, err := c.route.pool.RoundTrip(r)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode != http.StatusOK || kind != "text/event-stream" {
		return false
	}
	events := envelope.NewEvents(response.Body, maxEndpoint)
	for {
		event, err := events.Next()
		if err != nil {
			return false
		}
		if event.Data != nil || event.Type != "" {
			return event.Type == endpointEvent
		}
	}
}

// endpointEvent is the type of the first event of that transport's stream.
const endpointEvent = "endpoint"

// oldTransport is an upstream that speaks only the transport of 2024-11-05.
func (c *call) oldTransport(response *http.Response) *envelope.Error {
	e := c.bad("old_transport", response, "the upstream speaks only the HTTP+SSE transport of 2024-11-05, which is not supported: "+
		"set upstream to its Streamable HTTP endpoint, often /mcp beside /sse")
	e.Outcome = rejected
	return e
}

// endOld ends a stream that began as one of that transport does. No request waits for an answer on it; the error is
// for whoever reads it.
func (c *call) endOld(response *http.Response) {
	c.route.transport.learn(true)
	e := c.oldTransport(response)
	c.blame(e)
	_ = c.send(envelope.AppendEvent(nil, e.Append(nil, nil)))
}
