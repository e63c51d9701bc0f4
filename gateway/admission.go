package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"

	"signet/gateway/bulkhead"
	"signet/gateway/envelope"
	"signet/gateway/telemetry"
)

// admit takes the call's place, or answers why there is none. The caller gives it back.
func (c *call) admit() bool {
	place, wait, err := c.route.places.Take(c.ctx, c.kind(), c.client)
	if wait.Position > 0 {
		c.record.Waited(c.ctx, telemetry.Wait(wait), c.budget())
	}
	if ended := c.route.flight.ctx; err == nil && ended.Err() != nil {
		// It got the place of a call that was ended with it, before the word reached it.
		place.Give()
		err = context.Cause(ended)
	}
	if err != nil {
		c.fail(c.notAdmitted(err))
		return false
	}
	c.place = place
	return true
}

// kind is the budget that the call is counted in.
func (c *call) kind() bulkhead.Kind {
	switch {
	case c.standing():
		return bulkhead.Stream
	case c.r.Method == http.MethodDelete, light(c.message):
		return bulkhead.Light
	}
	return bulkhead.Call
}

// budget is the kind as metrics have it.
func (c *call) budget() string {
	if c.kind() == bulkhead.Stream {
		return "stream"
	}
	return "call"
}

// light reports whether a message costs the upstream little. The answer to a question of the server is, and has
// to be: the tool that asked has a place for as long as it waits for it.
func light(m envelope.Message) bool {
	switch m.Kind {
	case envelope.Notification, envelope.Response:
		return true
	case envelope.Batch:
		for _, element := range m.Batch {
			if !light(element) {
				return false
			}
		}
		return true
	}
	switch m.Method {
	case "initialize", "ping", "server/discover",
		"tools/list", "prompts/list", "resources/list", "resources/templates/list":
		return m.Strict
	}
	return false
}

// notAdmitted is why the call got no place.
func (c *call) notAdmitted(err error) *envelope.Error {
	var shed *bulkhead.Shed
	if errors.As(err, &shed) {
		return c.shed(shed, notSent)
	}
	return c.interrupted(err)
}

// shed is an error for a call that there was no room for.
func (c *call) shed(s *bulkhead.Shed, outcome string) *envelope.Error {
	code := envelope.CodeOverloaded
	if s.Reason == bulkhead.CircuitOpen {
		code = envelope.CodeUnreachable
	}
	e := c.fault(code, s.Reason, outcome, fmt.Sprintf("%s (%s)", s.Message, decidedBy(s.Reason)))
	e.Retryable, e.RetryAfter = outcome == notSent || c.repeatable(), s.RetryAfter
	return e
}

// decidedBy is the key of the config by which a call is shed for that reason.
func decidedBy(reason string) string {
	switch reason {
	case bulkhead.CircuitOpen:
		return "breaker"
	case bulkhead.OutOfMemory:
		return "memory"
	case bulkhead.QueueFull:
		return "limits.queue"
	case bulkhead.QueueTimeout:
		return "limits.queue_wait"
	}
	return "limits." + reason
}

// failed tells the circuit that the upstream's infrastructure failed.
func (c *call) failed() {
	if c.place.Failed() {
		c.route.log.Warn("the circuit opened", "failures", c.route.config.Breaker.Failures)
	}
}

// blames reports whether it is the upstream's fault that err came instead of a response, or of its rest. It is
// not when the client left, when the call was ended from outside, or when this machine ran out of something.
func (c *call) blames(a *attempt, err error) bool {
	switch cause := c.ended(); {
	case cause == nil:
	case errors.Is(cause, errFirstByte), errors.Is(cause, errIdle):
		return true
	default:
		return errors.Is(cause, errCallTimeout) && a.connected
	}
	var shed *bulkhead.Shed
	ours := errors.As(err, &shed) || errors.Is(err, errPoolClosed) ||
		errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
	return !ours
}
