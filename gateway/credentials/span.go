package credentials

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// span begins the span of a fetch. It is linked to the call that began the fetch and is nobody's child: the
// other calls wait for it as well. Without a tracer it is one that does nothing.
func (c *Cache) span(ctx context.Context, caller trace.SpanContext) (context.Context, trace.Span) {
	if c.options.Tracer == nil {
		return ctx, trace.SpanFromContext(ctx)
	}
	options := []trace.SpanStartOption{
		trace.WithNewRoot(), trace.WithAttributes(
			attribute.String("signet.route", c.options.Name), attribute.String("signet.credentials.source", c.Source())),
	}
	if caller.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: caller}))
	}
	return c.options.Tracer.Start(ctx, "signet.credentials.fetch", options...)
}

// endSpan notes how a fetch ended, with no word of a source that failed.
func endSpan(span trace.Span, r Refresh) {
	if r.Seq != 0 {
		span.SetAttributes(attribute.Int64("signet.credentials.generation", int64(r.Seq)))
	}
	var known *Error
	if errors.As(r.Err, &known) {
		span.SetAttributes(attribute.String("error.type", known.Reason))
		span.SetStatus(codes.Error, known.Message)
	}
	span.End()
}
