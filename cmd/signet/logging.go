package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"

	"signet/config"
)

// logging is the program's log. Its level and format follow the config.
type logging struct {
	*slog.Logger
	w       io.Writer
	level   *slog.LevelVar
	handler *logSwitch
	also    slog.Handler // what is logged goes there as well. Nil: nowhere
}

func newLogging(w io.Writer, c config.Log) (*logging, error) {
	level := new(slog.LevelVar)
	if err := setLevel(level, c.Level); err != nil {
		return nil, err
	}
	handler := newLogSwitch(plainLog{logHandler(w, c.Format, level)})
	return &logging{Logger: slog.New(handler), w: w, level: level, handler: handler}, nil
}

func logHandler(w io.Writer, format string, level *slog.LevelVar) slog.Handler {
	person := terminal(w)
	if format == "text" || format == "auto" && person {
		return tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !person})
	}
	return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
}

// lost is how many lines could not be written so far.
func (l *logging) lost() int64 { return l.handler.loss.all.Load() }

// prepare returns what puts c into force.
func (l *logging) prepare(c config.Log) (commit func(), err error) {
	next := new(slog.LevelVar)
	if err := setLevel(next, c.Level); err != nil {
		return nil, err
	}
	return func() {
		l.level.Set(next.Level())
		l.handler.set(l.both(c.Format))
	}, nil
}

// add sends what is logged from now on, in a format of c, to h as well. h may be nil.
func (l *logging) add(h slog.Handler, c config.Log) {
	l.also = h
	l.handler.set(l.both(c.Format))
}

// both is a handler that writes in a format, and to what was added.
func (l *logging) both(format string) slog.Handler {
	h := logHandler(l.w, format, l.level)
	if l.also != nil {
		h = slog.NewMultiHandler(h, atLevel{l.also, l.level})
	}
	return plainLog{h}
}

// atLevel is a handler that takes no less than a level.
type atLevel struct {
	slog.Handler
	level slog.Leveler
}

// Enabled reports whether it takes a level.
func (h atLevel) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level.Level() && h.Handler.Enabled(ctx, level)
}

// WithAttrs is the handler with attributes.
func (h atLevel) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLevel{h.Handler.WithAttrs(attrs), h.level}
}

// WithGroup is the handler in a group.
func (h atLevel) WithGroup(name string) slog.Handler {
	return atLevel{h.Handler.WithGroup(name), h.level}
}

func setLevel(v *slog.LevelVar, level string) error {
	if err := v.UnmarshalText([]byte(level)); err != nil {
		return fmt.Errorf("log.level: %w", err)
	}
	return nil
}
