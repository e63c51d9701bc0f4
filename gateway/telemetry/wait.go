package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// A Wait is what a call waited for its place.
type Wait struct {
	// Time is how long.
	Time time.Duration

	// Position is how many waited when it came, itself included, and Ahead how many went before it since.
	Position, Ahead int
}

// Waited makes the child span of a wait that has just ended: only a call that waited has one, and whether it
// would was not known when it began.
func (c *Call) Waited(ctx context.Context, w Wait) {
	if c.recorder.tracer == nil {
		return
	}
	_, span := c.recorder.tracer.Start(ctx, "signet.queue.wait", trace.WithTimestamp(time.Now().Add(-w.Time)))
	if span.IsRecording() {
		span.SetAttributes(attribute.Int(keyPosition, w.Position), attribute.Int(keyAhead, w.Ahead))
		c.span.SetAttributes(attribute.Float64(keyWait, w.Time.Seconds()))
	}
	span.End()
}
