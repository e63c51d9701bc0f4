package main

import (
	"context"
	"testing"

	"signet/config"
)

func TestTracerFollowsWhereSpansGo(t *testing.T) {
	tel := newTestTelemetry(t, nil)
	made := tel.tracers.Tracer("x") // as the gateway does: once, at its start
	if _, span := made.Start(t.Context(), "before"); span.IsRecording() {
		t.Error("a span is recorded while spans are off")
	}
	var names []string
	tel.collect(config.Telemetry{Sample: 1}, func(s endedSpan) { names = append(names, s.name) })
	_, span := made.Start(t.Context(), "during")
	span.End()
	tel.use(nil, config.Telemetry{})
	_, span = made.Start(t.Context(), "after")
	span.End()
	if len(names) != 1 || names[0] != "during" {
		t.Errorf("recorded %q, want only the span made while on", names)
	}
}

func TestCollectedSpansKnowTheirParent(t *testing.T) {
	tel := newTestTelemetry(t, nil)
	var ended []endedSpan
	tel.collect(config.Telemetry{Sample: 1}, func(s endedSpan) { ended = append(ended, s) })
	ctx, parent := tel.tracers.Tracer("x").Start(context.Background(), "parent")
	_, child := tel.tracers.Tracer("x").Start(ctx, "child")
	child.End()
	parent.End()
	if len(ended) != 2 || ended[0].parent != ended[1].id || ended[0].trace != ended[1].trace {
		t.Errorf("%+v: the child does not point at its parent", ended)
	}
}
