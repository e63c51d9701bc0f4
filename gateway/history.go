package gateway

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"signet/gateway/envelope"
)

// A history is what the last calls of a route tell about its health. Versions of a route share it where nothing
// but limits changed between them.
type history struct {
	answered atomic.Int64 // when the last answer began, in Unix nanoseconds; 0: there was none

	failed    lately // the upstream did not answer, or not as it should
	refused   lately // there was nothing to sign with, or AWS did not take it
	throttled lately // the upstream wanted less
	shed      lately // there was no room
	deserted  lately // the client left before an answer began
}

// A HistoryStatus is how the last calls of a route went, in each respect.
type HistoryStatus struct {
	// Answered is when the last answer began. Zero: there was none.
	Answered time.Time `json:"answered,omitzero"`

	// Failed did not get the upstream's answer, Refused had no credentials or such as AWS did not take,
	// Throttled came too often for the upstream, Shed found no room, and Deserted were given up by
	// their clients before an answer began.
	Failed    Recent `json:"failed,omitzero"`
	Refused   Recent `json:"refused,omitzero"`
	Throttled Recent `json:"throttled,omitzero"`
	Shed      Recent `json:"shed,omitzero"`
	Deserted  Recent `json:"deserted,omitzero"`
}

// newHistory makes rt's, or takes that of old, which may be nil: what it tells must still be true of rt.
func newHistory(rt, old *route) *history {
	if old == nil || old.places != rt.places {
		return new(history)
	}
	for _, part := range old.differs(rt) {
		if part != partLimits {
			return new(history)
		}
	}
	return old.history
}

// answer notes a call that the upstream began to answer at that time.
func (h *history) answer(at time.Time) {
	h.answered.Store(at.UnixNano())
	for _, l := range []*lately{&h.failed, &h.refused, &h.throttled, &h.shed, &h.deserted} {
		l.well()
	}
}

// status is what h tells now.
func (h *history) status() HistoryStatus {
	s := HistoryStatus{
		Failed: h.failed.recent(), Refused: h.refused.recent(), Throttled: h.throttled.recent(),
		Shed: h.shed.recent(), Deserted: h.deserted.recent(),
	}
	if at := h.answered.Load(); at != 0 {
		s.Answered = time.Unix(0, at).UTC()
	}
	return s
}

// note notes how the call went, for the health of its route. What says nothing about that is not noted: a client
// that left a stream, a message that was too large, a drain.
func (c *call) note() {
	h, e := c.route.history, &c.ending
	switch {
	case e.Outcome == "client_cancelled":
		if c.place != nil && e.Status == 0 {
			f := c.failure()
			f.Reason, f.Message, f.Outcome = "client_cancelled", "the client left before an answer began", unknown
			h.deserted.badly(f)
		}
	case e.Reason != "":
		c.noteFailure()
	case e.Status != 0 && !c.standing(): // a stream has told already, as it began
		h.answer(c.heard)
	}
}

func (c *call) noteFailure() {
	h, e := c.route.history, &c.ending
	switch e.Code {
	case envelope.CodeUnreachable, envelope.CodeTimeout, envelope.CodeBadResponse, envelope.CodeStreamBroken:
		if e.Reason != "circuit_open" { // it says nothing new
			h.failed.badly(c.failure())
		}
	case envelope.CodeCredentials:
		h.refused.badly(c.failure())
	case envelope.CodeRejected:
		if e.Reason == "access_denied" { // of what it asked for, perhaps, and not of all
			h.failed.badly(c.failure())
		} else {
			h.refused.badly(c.failure())
		}
	case envelope.CodeThrottled:
		h.failed.well()
		h.throttled.badly(c.failure())
	case envelope.CodeOverloaded:
		h.shed.badly(c.failure())
	}
}

// failure is how the call went, for people who know of which route it was.
func (c *call) failure() *Failure {
	e := &c.ending
	message, _, _ := strings.Cut(strings.TrimPrefix(e.Message, fmt.Sprintf("route %q: ", c.route.name)), ". Run: ")
	return &Failure{
		At: time.Now().UTC(), Code: e.Code, Reason: e.Reason, Message: message, Outcome: e.Outcome,
		Status: e.Status, TraceID: c.record.TraceID(),
	}
}
