package main

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"

	"signet/config"
)

// logging is the program's log. Its level follows the config; its format is chosen at the start.
type logging struct {
	*slog.Logger
	format string
	level  *slog.LevelVar
}

func newLogging(w io.Writer, c config.Log) (*logging, error) {
	level := new(slog.LevelVar)
	if err := setLevel(level, c.Level); err != nil {
		return nil, err
	}
	return &logging{Logger: slog.New(logHandler(w, c.Format, level)), format: c.Format, level: level}, nil
}

func logHandler(w io.Writer, format string, level *slog.LevelVar) slog.Handler {
	person := terminal(w)
	if format == "text" || format == "auto" && person {
		return tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !person})
	}
	return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
}

// prepare returns what puts c into force. A new format waits for the next start and the log says so.
func (l *logging) prepare(c config.Log) (commit func(), err error) {
	next := new(slog.LevelVar)
	if err := setLevel(next, c.Level); err != nil {
		return nil, err
	}
	return func() {
		l.level.Set(next.Level())
		if c.Format != l.format {
			l.Warn("log.format is used from the next start on", "format", l.format, "next", c.Format)
		}
	}, nil
}

func setLevel(v *slog.LevelVar, level string) error {
	if err := v.UnmarshalText([]byte(level)); err != nil {
		return fmt.Errorf("log.level: %w", err)
	}
	return nil
}
