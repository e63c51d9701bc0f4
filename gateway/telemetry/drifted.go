package telemetry

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// longestName is how much of a tool's name, which is the upstream's, an event carries.
const longestName = 128

// Drifted notes that a tool which the answer lists is not as it was accepted, and what of it is other.
func (c *Call) Drifted(tool, what string) {
	if c.span == nil {
		return
	}
	c.span.AddEvent(eventDrift, trace.WithAttributes(attribute.String("gen_ai.tool.name", tool[:min(len(tool), longestName)]), attribute.String(keyDrift, what)))
}
