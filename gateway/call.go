package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"signet/gateway/bulkhead"
	"signet/gateway/envelope"
	"signet/gateway/telemetry"
)

// modern is the first protocol revision without sessions, whose clients negotiate by HTTP status.
const modern = "2026-07-28"

// Why a call was ended by its own clock: the cause of its context.
var (
	errCallTimeout = errors.New("timeouts.call ran out")
	errFirstByte   = errors.New("timeouts.first_byte ran out")
	errIdle        = errors.New("timeouts.idle ran out")
	errClientGone  = errors.New("the client takes nothing any more")
)

// A call is one inbound request and its answer. It is used by the one goroutine that serves it.
type call struct {
	// fixed when it begins
	route   *route
	w       http.ResponseWriter
	r       *http.Request
	message envelope.Message
	body    []byte
	ctx     context.Context
	cancel  context.CancelCauseFunc
	release []func() bool // timers and links to stop when it is done
	record  telemetry.Call
	client  string // whose turn it is when clients take turns
	held    *tally // what its buffers hold

	// as it goes
	place   *bulkhead.Place // nil until it is admitted
	pending [][]byte        // ids of requests that have no answer yet
	begun   bool            // the response's headers are out
	attempt *attempt        // the last one. Nil: nothing was sent
	ending  telemetry.Ending
}

// newCall makes a call whose context ends when the client leaves, when the route's calls must end, or when
// timeouts.call has run out.
func newCall(rt *route, w http.ResponseWriter, r *http.Request, m envelope.Message, body []byte) *call {
	c := &call{route: rt, w: w, r: r, message: m, body: body, pending: requests(m)}
	c.ctx, c.cancel = context.WithCancelCause(r.Context())
	c.release = append(c.release, context.AfterFunc(rt.flight.ctx, func() { c.cancel(context.Cause(rt.flight.ctx)) }))
	if limit := rt.config.Timeouts.Call; limit > 0 && !c.standing() {
		c.release = append(c.release, time.AfterFunc(limit, func() { c.cancel(errCallTimeout) }).Stop)
	}
	return c
}

// requests are the ids that a message wants answered.
func requests(m envelope.Message) [][]byte {
	if m.Kind == envelope.Request && m.ID != nil {
		return [][]byte{m.ID}
	}
	var ids [][]byte
	for _, element := range m.Batch {
		ids = append(ids, requests(element)...)
	}
	return ids
}

// standing reports whether the answer is a stream that has no end of its own: no timeout applies to it.
func (c *call) standing() bool {
	return c.r.Method == http.MethodGet || c.message.Method == "subscriptions/listen"
}

// repeatable reports whether sending the message twice cannot execute anything twice.
func (c *call) repeatable() bool {
	switch c.message.Method {
	case "initialize", "ping", "server/discover", "resources/read", "prompts/get",
		"tools/list", "prompts/list", "resources/list", "resources/templates/list":
		return c.message.Kind == envelope.Request && c.message.Strict
	}
	return false
}

// version is the protocol revision the client speaks, as far as the request says.
func (c *call) version() string {
	if v := c.r.Header.Get("MCP-Protocol-Version"); v != "" {
		return v
	}
	return c.message.Version
}

// describe is what the span is told.
func (c *call) describe(caller string) telemetry.Message {
	m := telemetry.Message{
		Route: c.route.name, Snapshot: c.route.snapshot, Caller: caller, Remote: c.r.RemoteAddr,
		Method: c.message.Method, ID: c.message.ID, Version: c.version(), Session: c.r.Header.Get("Mcp-Session-Id"),
		Traceparent: c.message.Traceparent, Tracestate: c.message.Tracestate, Size: len(c.body),
	}
	if m.Method == "tools/call" && c.route.recorder.Captures() {
		m.Arguments = envelope.Arguments(c.body)
	}
	if c.message.Strict {
		m.Name = c.message.Name
	}
	switch {
	case c.r.Method != http.MethodPost:
		m.Method = c.r.Method
	case c.message.Kind == envelope.Response:
		m.Method = "response"
	case c.message.Kind == envelope.Batch:
		m.Method = "batch"
	case m.Method == "":
		m.Method = "unknown"
	}
	return m
}

// finish releases what the call holds and ends its span.
func (c *call) finish() {
	c.rest() // the deadline of the last write would fail the end of this answer, and the next on the connection
	for _, stop := range c.release {
		stop()
	}
	c.cancel(nil)
	c.record.End(c.ending)
	c.route.lines.write(c)
}

// turnAway answers a call that came while the gateway is shutting down.
func (c *call) turnAway() { c.fail(c.interrupted(errDraining)) }

// left reports whether the client has gone. Nothing more is to be written then.
func (c *call) left() bool { return c.r.Context().Err() != nil }

// fail answers the call with an error: as the last event of a stream that has begun, as HTTP 200 with the
// request's id (most clients hang, crash or start OAuth on anything else), or, where there is no id to
// answer, by status.
func (c *call) fail(e *envelope.Error) {
	e.Source, e.Route, e.TraceID = "gateway", c.route.name, c.record.TraceID()
	if c.left() {
		c.ending.Outcome = "client_cancelled"
		return
	}
	c.ending.Code, c.ending.Reason, c.ending.Message, c.ending.Outcome = e.Code, e.Reason, e.Message, e.Outcome
	switch {
	case c.begun:
		if len(c.pending) > 0 {
			_ = c.send(envelope.AppendEvent(nil, c.errorFor(e)))
		}
	case len(c.pending) > 0:
		writeJSON(c.w, http.StatusOK, c.errorFor(e))
	case c.r.Method == http.MethodPost && c.version() < modern:
		// A 5xx here ends the writer of Python clients 1.x for good.
		c.route.recorder.Dropped(c.route.name)
		c.w.WriteHeader(http.StatusAccepted)
	case c.r.Method == http.MethodPost:
		writeJSON(c.w, http.StatusBadGateway, e.Append(nil, nil))
	default:
		writeJSON(c.w, e.Status(), e.Append(nil, nil))
	}
}

// errorFor is e as the answer to every request still pending.
func (c *call) errorFor(e *envelope.Error) []byte {
	if c.message.Kind == envelope.Batch {
		return e.AppendBatch(nil, c.pending)
	}
	return e.Append(nil, c.pending[0])
}
