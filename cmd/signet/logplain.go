package main

import (
	"context"
	"fmt"
	"log/slog"
)

// plainLog is a handler that tells values of plain types alone: texts, numbers, times, lists and maps of texts, and
// what says itself how it is logged. Of any other it tells the type: a struct may hold a secret, today or tomorrow.
type plainLog struct{ slog.Handler }

// Handle tells a record.
func (p plainLog) Handle(ctx context.Context, r slog.Record) error {
	plain := true
	r.Attrs(func(a slog.Attr) bool {
		plain = isPlain(a.Value)
		return plain
	})
	if plain {
		return p.Handler.Handle(ctx, r)
	}
	next := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		next.AddAttrs(plainAttr(a))
		return true
	})
	return p.Handler.Handle(ctx, next)
}

// WithAttrs is the handler with attributes.
func (p plainLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	all := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		all[i] = plainAttr(a)
	}
	return plainLog{p.Handler.WithAttrs(all)}
}

// WithGroup is the handler in a group.
func (p plainLog) WithGroup(name string) slog.Handler { return plainLog{p.Handler.WithGroup(name)} }

// isPlain reports whether a value is told as it is.
func isPlain(v slog.Value) bool {
	switch v.Kind() {
	case slog.KindAny:
		switch v.Any().(type) {
		case nil, []string, map[string][]string:
			return true
		}
		return false
	case slog.KindGroup, slog.KindLogValuer:
		return false
	}
	return true
}

func plainAttr(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	switch {
	case a.Value.Kind() == slog.KindGroup:
		group := a.Value.Group()
		all := make([]slog.Attr, len(group))
		for i, one := range group {
			all[i] = plainAttr(one)
		}
		a.Value = slog.GroupValue(all...)
	case !isPlain(a.Value):
		a.Value = slog.StringValue(fmt.Sprintf("(a %T, not shown)", a.Value.Any()))
	}
	return a
}
