package main

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"
)

// tracers is a TracerProvider that can be pointed at another one while tracers made by it are in use, so
// that a reload may switch tracing on and off.
type tracers struct {
	embedded.TracerProvider
	current atomic.Pointer[trace.TracerProvider]
	off     atomic.Bool
}

// newTracers makes one that records nothing.
func newTracers() *tracers {
	t := new(tracers)
	t.use(nil)
	return t
}

// use sends the spans that begin from now on to p, or nowhere if it is nil.
func (t *tracers) use(p trace.TracerProvider) {
	off := p == nil
	if off {
		p = noop.NewTracerProvider()
	}
	t.current.Store(&p)
	t.off.Store(off)
}

// on reports whether spans go anywhere.
func (t *tracers) on() bool { return !t.off.Load() }

// Tracer returns a tracer that follows t.
func (t *tracers) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return &tracer{from: t, name: name, options: options}
}

// A tracer makes spans by whatever its tracers currently point at.
type tracer struct {
	embedded.Tracer
	from    *tracers
	name    string
	options []trace.TracerOption
	held    atomic.Pointer[heldTracer]
}

// heldTracer is a provider's tracer, kept for as long as the provider is current.
type heldTracer struct {
	provider *trace.TracerProvider
	tracer   trace.Tracer
}

// Start starts a span.
func (t *tracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	provider := t.from.current.Load()
	held := t.held.Load()
	if held == nil || held.provider != provider {
		held = &heldTracer{provider, (*provider).Tracer(t.name, t.options...)}
		t.held.Store(held)
	}
	return held.tracer.Start(ctx, name, options...)
}
