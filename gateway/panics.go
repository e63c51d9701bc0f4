package gateway

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"runtime/debug"

	"signet/gateway/envelope"
)

// survive keeps a panic in the handling of a request from ending the process. Of one in a call there is more
// to be said: call.survive does.
func (g *Gateway) survive(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if aborts(p) {
		panic(p)
	}
	g.recorder.Panicked("")
	g.log.Error("a request panicked", "panic", fmt.Sprint(p), "path", r.URL.Path, "stack", string(debug.Stack()))
	refuse(http.StatusInternalServerError, &envelope.Error{
		Code: envelope.CodeBadResponse, Reason: "internal", Message: "internal error", Outcome: unknown,
	}).write(w)
}

// survive answers a call that panicked as any other that failed: with its id, or as the last event of its stream.
// An answer that has begun and is no stream is cut off instead, so that it does not look whole.
func (c *call) survive() {
	p := recover()
	if p == nil {
		return
	}
	if aborts(p) {
		panic(p)
	}
	c.route.recorder.Panicked(c.route.name)
	c.route.log.Error("a call panicked", "panic", fmt.Sprint(p), "method", c.message.Method, "stack", string(debug.Stack()))
	e := c.fault(envelope.CodeBadResponse, "internal", unknown, "internal error")
	kind, _, _ := mime.ParseMediaType(c.w.Header().Get("Content-Type"))
	if c.begun && kind != "text/event-stream" {
		c.ending.Code, c.ending.Reason, c.ending.Message, c.ending.Outcome = e.Code, e.Reason, e.Message, e.Outcome
		panic(http.ErrAbortHandler)
	}
	c.fail(e)
}

// aborts reports whether a panic is the one by which a handler ends its connection.
func aborts(p any) bool {
	err, ok := p.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}

// A panicked is a panic in a goroutine that works for a call, which goes on in the call's own.
type panicked struct {
	value any
	stack []byte
}

// Error is the panic's value and where it was.
func (p *panicked) Error() string { return fmt.Sprintf("%v\n%s", p.value, p.stack) }

// rescue makes a panic an error. It is deferred.
func rescue(err *error) {
	if p := recover(); p != nil {
		*err = &panicked{p, debug.Stack()}
	}
}
