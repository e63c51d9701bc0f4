package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// TraceContext is the attempt's span in the W3C form, for a message that carries it. Empty when spans are off.
func (a *Attempt) TraceContext() (traceparent, tracestate string) {
	if a.span == nil {
		return "", ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpan(context.Background(), a.span), carrier)
	return carrier["traceparent"], carrier["tracestate"]
}
