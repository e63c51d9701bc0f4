package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Loads are how much of what is limited is in use, at one moment.
type Loads struct {
	// Routes are those that serve.
	Routes []Load

	// Memory is how many bytes of MemoryLimit the buffers of all calls hold, and MemorySheds how many times
	// there was not enough.
	Memory, MemoryLimit int64
	MemorySheds         uint64
}

// A Load is what is in use of one route's limits.
type Load struct {
	// Route is its name.
	Route string

	// Calls and Streams have a place, WaitingCalls and WaitingStreams wait for one.
	Calls, Streams, WaitingCalls, WaitingStreams int

	// Sheds is how many were shed, by reason.
	Sheds map[string]uint64

	// Circuit is 0 while it is closed or off, 1 while one call may try, 2 while it is open.
	Circuit int
}

// observed are the instruments that are read together.
type observed struct {
	calls, streams, queue, circuit, memory, limit metric.Int64ObservableGauge
	sheds                                         metric.Int64ObservableCounter
}

// observeLoads makes the instruments of what is limited. Routes that serve no more have no series.
func (r *Recorder) observeLoads(m metric.Meter) error {
	if r.loads == nil {
		return nil
	}
	var (
		o    observed
		errs [8]error
	)
	o.calls, errs[0] = m.Int64ObservableGauge("signet.calls.running",
		metric.WithDescription("Calls that have a place (limits.calls)."))
	o.streams, errs[1] = m.Int64ObservableGauge("signet.streams.open",
		metric.WithDescription("Standing streams that have a place (limits.streams)."))
	o.queue, errs[2] = m.Int64ObservableGauge("signet.queue.length",
		metric.WithDescription("Calls and streams that wait for a place (limits.queue)."))
	o.circuit, errs[3] = m.Int64ObservableGauge("signet.circuit.state",
		metric.WithDescription("0 while the circuit is closed or off, 1 while one call may try, 2 while it is open."))
	o.memory, errs[4] = m.Int64ObservableGauge("signet.memory.used", metric.WithUnit("By"),
		metric.WithDescription("Bytes that the buffers of all calls hold."))
	o.limit, errs[5] = m.Int64ObservableGauge("signet.memory.limit", metric.WithUnit("By"),
		metric.WithDescription("Bytes that they may hold."))
	o.sheds, errs[6] = m.Int64ObservableCounter("signet.sheds",
		metric.WithDescription("Calls and streams that were turned away before they were sent; for want of memory, after it too."))
	_, errs[7] = m.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		o.observe(to, r.loads())
		return nil
	}, o.calls, o.streams, o.queue, o.circuit, o.memory, o.limit, o.sheds)
	return errors.Join(errs[:]...)
}

func (o *observed) observe(to metric.Observer, l Loads) {
	to.ObserveInt64(o.memory, l.Memory)
	to.ObserveInt64(o.limit, l.MemoryLimit)
	to.ObserveInt64(o.sheds, int64(l.MemorySheds), metric.WithAttributes(attribute.String(keyReason, "memory")))
	for _, load := range l.Routes {
		route := attribute.String(keyRoute, load.Route)
		only := metric.WithAttributes(route)
		to.ObserveInt64(o.calls, int64(load.Calls), only)
		to.ObserveInt64(o.streams, int64(load.Streams), only)
		to.ObserveInt64(o.circuit, int64(load.Circuit), only)
		to.ObserveInt64(o.queue, int64(load.WaitingCalls), metric.WithAttributes(route, attribute.String(keyKind, "call")))
		to.ObserveInt64(o.queue, int64(load.WaitingStreams), metric.WithAttributes(route, attribute.String(keyKind, "stream")))
		for reason, n := range load.Sheds {
			to.ObserveInt64(o.sheds, int64(n), metric.WithAttributes(route, attribute.String(keyReason, reason)))
		}
	}
}
