package telemetry

import (
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// Line is the call, which ended so, as a log has it: by the keys of its spans, those of its last request included.
func (c *Call) Line(e Ending) []slog.Attr {
	attrs := e.attributes(c.history(c.message.origin(c.message.attributes(nil))))
	attrs = append(attrs, attribute.Float64(keyDuration, time.Since(c.began).Seconds()))
	if c.last != nil {
		attrs = c.last.attributes(attrs)
	}
	line := make([]slog.Attr, 0, len(attrs)+3)
	for _, a := range attrs {
		line = append(line, slog.Any(string(a.Key), a.Value.AsInterface()))
	}
	if e.Message != "" {
		line = append(line, slog.String("cause", e.Message))
	}
	if id := c.TraceID(); id != "" {
		line = append(line, slog.String("trace_id", id))
	}
	if c.span != nil {
		line = append(line, slog.String("span_id", c.span.SpanContext().SpanID().String()))
	}
	return line
}
