package gateway

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"

	"signet/config"
)

// A callLog writes one line a call, at its end. One that failed on our side or the upstream's infrastructure's is
// always told, as a warning; the others as log.calls says.
type callLog struct {
	// fixed at build
	log *slog.Logger

	// swapped
	rule atomic.Pointer[callRule]
}

// A callRule is log.calls.
type callRule struct {
	level slog.Level
	share float64
}

func newCallLog(log *slog.Logger) *callLog {
	l := &callLog{log: log}
	l.set(config.CallLog{})
	return l
}

// set puts c into force. An empty level is debug.
func (l *callLog) set(c config.CallLog) {
	rule := &callRule{level: slog.LevelDebug, share: c.Sample}
	_ = rule.level.UnmarshalText([]byte(c.Level)) // Load has checked it
	l.rule.Store(rule)
}

// write writes the line of a call that has ended, if it is wanted.
func (l *callLog) write(c *call) {
	level, text := slog.LevelWarn, "call failed"
	if c.ending.Reason == "" {
		rule := l.rule.Load()
		if !l.log.Enabled(c.ctx, rule.level) || rule.share < 1 && rand.Float64() >= rule.share {
			return
		}
		level, text = rule.level, "call"
	}
	if a := c.attempt; a != nil && a.generation != nil {
		c.tellSignature(a)
	}
	// The call's context has ended, but not what it says of the trace.
	l.log.LogAttrs(context.WithoutCancel(c.ctx), level, text, c.record.Line(c.ending)...)
}
