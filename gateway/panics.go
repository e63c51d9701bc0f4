package gateway

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"runtime"
	"runtime/debug"

	"signet/gateway/envelope"
)

// A panicked is a panic in a goroutine that works for a call, which goes on in the call's own.
type panicked struct {
	value any
	stack []byte
}

// Error names the panic. What a value says that is not the runtime's own may be secret.
func (p *panicked) Error() string {
	if err, ok := p.value.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("panic of a %T", p.value)
}

// rescue makes a panic an error. It is deferred.
func rescue(err *error) {
	if p := recover(); p != nil {
		*err = &panicked{p, debug.Stack()}
	}
}

// caught is what recover returned, with where that was; nil for nothing. The panic by which a handler ends its
// connection is not caught.
func caught(p any) *panicked {
	if p == nil {
		return nil
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	if already, ok := p.(*panicked); ok {
		return already
	}
	return &panicked{p, debug.Stack()}
}

// survive keeps a panic in the handling of a request from ending the process. Of one in a call there is more
// to be said: call.survive does.
func (g *Gateway) survive(w http.ResponseWriter, r *http.Request) {
	p := caught(recover())
	if p == nil {
		return
	}
	g.recorder.Panicked("")
	g.log.Error("a request panicked", "panic", p.Error(), "path", r.URL.Path, "stack", string(p.stack))
	refuse(http.StatusInternalServerError, &envelope.Error{
		Code: envelope.CodeBadResponse, Reason: "internal", Message: "internal error", Outcome: unknown,
	}).write(w)
}

// survive answers a call that panicked as any other that failed: with its id, or as the last event of its stream.
// An answer that has begun and is no stream is cut off instead, so that it does not look whole.
func (c *call) survive() {
	p := caught(recover())
	if p == nil {
		return
	}
	c.route.recorder.Panicked(c.route.name)
	c.route.log.Error("a call panicked", "panic", p.Error(), "method", c.message.Method, "stack", string(p.stack))
	e := c.fault(envelope.CodeBadResponse, "internal", unknown, "internal error")
	kind, _, _ := mime.ParseMediaType(c.w.Header().Get("Content-Type"))
	if c.begun && kind != "text/event-stream" {
		c.ending.Code, c.ending.Reason, c.ending.Message, c.ending.Outcome = e.Code, e.Reason, e.Message, e.Outcome
		panic(http.ErrAbortHandler)
	}
	c.fail(e)
}
