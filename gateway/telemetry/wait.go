package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// A Wait is what a call waited for its place.
type Wait struct {
	// Time is how long.
	Time time.Duration

	// Position is how many waited when it came, itself included, and Ahead how many went before it since.
	Position, Ahead int
}

// Waited counts a wait that has just ended, of a call or a stream, and makes its child span: only a call that waited
// has one, and whether it would was not known when it began.
func (c *Call) Waited(ctx context.Context, w Wait, kind string) {
	r := c.recorder
	c.queued = w.Time
	r.queueWait.Record(ctx, w.Time.Seconds(), metric.WithAttributes(
		attribute.String(keyRoute, c.message.Route), attribute.String(keyKind, kind)))
	if !c.recording() {
		return
	}
	_, span := r.tracer.Start(ctx, spanQueue, trace.WithTimestamp(time.Now().Add(-w.Time)))
	span.SetAttributes(attribute.String(keyRoute, c.message.Route),
		attribute.Int(keyPosition, w.Position), attribute.Int(keyAhead, w.Ahead))
	span.End()
}

// Signing begins a wait for credentials, and returns what ends it.
func (c *Call) Signing(ctx context.Context) (end func()) {
	began, child := time.Now(), c.child(ctx, spanSignature)
	return func() {
		c.signing += time.Since(began)
		child()
	}
}

// Pausing begins the wait before a call is sent once more, and returns what ends it.
func (c *Call) Pausing(ctx context.Context) (end func()) { return c.child(ctx, spanRetry) }

// child begins a span below the call's.
func (c *Call) child(ctx context.Context, name string) (end func()) {
	if !c.recording() {
		return func() {}
	}
	_, span := c.recorder.tracer.Start(ctx, name, trace.WithAttributes(attribute.String(keyRoute, c.message.Route)))
	return func() { span.End() }
}
