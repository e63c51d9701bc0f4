package main

import (
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
}

func newLogging(w io.Writer, c config.Log) (*logging, error) {
	level := new(slog.LevelVar)
	if err := setLevel(level, c.Level); err != nil {
		return nil, err
	}
	handler := newLogSwitch(logHandler(w, c.Format, level))
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
		l.handler.set(logHandler(l.w, c.Format, l.level))
	}, nil
}

func setLevel(v *slog.LevelVar, level string) error {
	if err := v.UnmarshalText([]byte(level)); err != nil {
		return fmt.Errorf("log.level: %w", err)
	}
	return nil
}
