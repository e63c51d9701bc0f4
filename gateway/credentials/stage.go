package credentials

import (
	"context"
	"sync/atomic"
	"time"
)

// A stage is what a fetch waits for, so that a call that waits no longer can say whose fault it is. The zero
// value is a fetch that has not said.
type stage struct{ now atomic.Pointer[Error] }

type stageKey struct{}

// with is ctx for a source whose stage this is.
func (s *stage) with(ctx context.Context) context.Context {
	return context.WithValue(ctx, stageKey{}, s)
}

// waitFor notes what the fetch of ctx waits for from here on, and the reason if that never answers.
func waitFor(ctx context.Context, reason, what string) {
	if s, ok := ctx.Value(stageKey{}).(*stage); ok {
		s.now.Store(&Error{Reason: reason, Message: what})
	}
}

// silent is the error for a fetch that has not ended after so long.
func (s *stage) silent(after time.Duration) *Error {
	e := Error{Reason: "sts_unreachable", Message: "the source of the credentials"}
	if now := s.now.Load(); now != nil {
		e = *now
	}
	e.Message += " has not answered for " + after.String()
	return &e
}
