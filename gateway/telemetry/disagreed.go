package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Disagreed notes that a header which mirrors the message's body does not say what the body says. The name of the
// header is one of ours.
func (c *Call) Disagreed(route, header string) {
	c.recorder.disagreed.Add(context.Background(), 1, metric.WithAttributes(
		attribute.String(keyRoute, route), attribute.String(keyHeader, header)))
	if c.span != nil {
		c.span.SetAttributes(attribute.String(keyMismatch, header))
	}
}
