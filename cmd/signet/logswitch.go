package main

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// A logSwitch is a slog.Handler whose place another can take, also in the loggers that were made of it.
type logSwitch struct {
	handler *atomic.Pointer[slog.Handler] // of all that were made of one, as is the loss
	loss    *logLoss
	steps   []func(slog.Handler) slog.Handler
}

func newLogSwitch(h slog.Handler) *logSwitch {
	s := &logSwitch{handler: new(atomic.Pointer[slog.Handler]), loss: new(logLoss)}
	s.set(h)
	return s
}

// set lets h take what is logged from now on.
func (s *logSwitch) set(h slog.Handler) { s.handler.Store(&h) }

// Enabled reports whether the handler of now takes this level.
func (s *logSwitch) Enabled(ctx context.Context, level slog.Level) bool {
	return (*s.handler.Load()).Enabled(ctx, level)
}

// Handle gives a record to the handler of now. The attributes of its logger are formatted again for each
// record, which a log of reloads and refusals can afford.
func (s *logSwitch) Handle(ctx context.Context, r slog.Record) error {
	h := *s.handler.Load()
	for _, step := range s.steps {
		h = step(h)
	}
	return s.loss.handle(ctx, h, r)
}

// WithAttrs is a logSwitch with attributes, which follows this one.
func (s *logSwitch) WithAttrs(attrs []slog.Attr) slog.Handler {
	return s.with(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup is a logSwitch in a group, which follows this one.
func (s *logSwitch) WithGroup(name string) slog.Handler {
	return s.with(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (s *logSwitch) with(step func(slog.Handler) slog.Handler) slog.Handler {
	steps := append(s.steps[:len(s.steps):len(s.steps)], step)
	return &logSwitch{handler: s.handler, loss: s.loss, steps: steps}
}

var _ slog.Handler = (*logSwitch)(nil)
