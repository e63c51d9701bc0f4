package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// logLoss counts the lines of a log that could not be written, as on a full disk, and tells of them once a line
// can be.
type logLoss struct {
	all    atomic.Int64
	untold atomic.Int64
}

// handle gives a record to h and counts it if h fails. No call is any the worse for it.
func (l *logLoss) handle(ctx context.Context, h slog.Handler, r slog.Record) error {
	if err := h.Handle(ctx, r); err != nil {
		l.all.Add(1)
		l.untold.Add(1)
		return err
	}
	n := l.untold.Swap(0)
	if n == 0 {
		return nil
	}
	told := slog.NewRecord(time.Now(), slog.LevelWarn, "log lines were lost", 0)
	told.Add("lines", n, "ever", l.all.Load())
	err := h.Handle(ctx, told)
	if err != nil {
		l.untold.Add(n)
	}
	return err
}
