package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"

	"signet/gateway/bulkhead"
	"signet/gateway/envelope"
)

// maxEvent is the largest event of a stream. Clients take 16 MiB.
const maxEvent = 17 << 20

// resumable is the revision whose clients resume a stream that ended early but carried an event id.
const resumable = "2025-11-25"

// stream passes an event stream on, event by event: each is flushed when it is whole, so that the stream
// can be ended by a message of ours wherever the upstream breaks off. No request's stream ends without an
// answer, or TypeScript clients hang for a minute.
func (c *call) stream(response *http.Response, body io.Reader) {
	c.head(response)
	if c.standing() {
		c.route.history.answer(c.heard)
	}
	c.begin(response.StatusCode)
	beat := c.keepAlive()
	defer beat.stop()
	held := newHeldBody(body, c.held, uncounted)
	events, named := envelope.NewEvents(held, maxEvent), false
	for {
		event, err := events.Next()
		if err != nil {
			beat.stop()
			c.streamEnded(err, named)
			return
		}
		if event.Type == endpointEvent && c.r.Method == http.MethodGet && c.ending.Events == 0 {
			beat.stop()
			c.endOld(response)
			return
		}
		if event.Data != nil { // not a comment or a blank line
			c.ending.Events++
		}
		named = named || event.ID != ""
		raw, fault := c.screenEvent(event)
		if fault != nil {
			beat.stop()
			c.fail(fault)
			return
		}
		c.settle(event.Data)
		if beat.send(raw) != nil {
			c.ending.Outcome = "client_cancelled"
			return
		}
		held.passed(len(event.Raw))
	}
}

// settle strikes off the requests that an event answers.
func (c *call) settle(data []byte) {
	if len(c.pending) == 0 && c.route.hints == nil || len(data) == 0 {
		return
	}
	m, err := envelope.Read(data)
	if err != nil {
		return
	}
	c.hear(m)
	answers := m.Batch
	if m.Kind == envelope.Response {
		answers = []envelope.Message{m}
	}
	for _, answer := range answers {
		before := len(c.pending)
		if answer.Kind == envelope.Response {
			c.pending = slices.DeleteFunc(c.pending, func(id []byte) bool { return sameID(id, answer.ID) })
		}
		if len(c.pending) < before {
			c.judge(answer)
		}
	}
}

// streamEnded says the last word of a stream that ended with err, io.EOF for an orderly end; named tells
// whether it carried an event id.
func (c *call) streamEnded(err error, named bool) {
	orderly := errors.Is(err, io.EOF)
	var shed *bulkhead.Shed
	switch cause := c.ended(); {
	case errors.Is(cause, errClientGone):
		c.ending.Outcome = "client_cancelled"
	case len(c.pending) == 0:
		// Answered, or no request's stream: its end is all there is to say.
		if c.left() {
			c.ending.Outcome = "client_cancelled"
		}
	case cause != nil:
		c.fail(c.interrupted(cause))
	case errors.As(err, &shed):
		c.fail(c.shed(shed, unknown))
	case errors.Is(err, envelope.ErrEventTooLarge):
		c.fail(tooLarge(c.route.name, "an event of the answer", maxEvent))
	case orderly && named && c.version() == resumable:
		// The protocol's own: the client resumes by GET.
	case orderly:
		c.fail(c.broken("the stream ended without an answer"))
	default:
		c.fail(c.broken("the connection broke before the answer was there"))
	}
}

// sameID reports whether two JSON-RPC ids are the same: the same bytes, or strings that mean the same.
func sameID(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if len(a) == 0 || len(b) == 0 || a[0] != '"' || b[0] != '"' {
		return false
	}
	var x, y string
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && x == y
}
