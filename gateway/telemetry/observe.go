package telemetry

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// observe tells to what l is.
func (o *observed) observe(to metric.Observer, l Loads) {
	to.ObserveInt64(o.memory, l.Memory)
	to.ObserveInt64(o.limit, l.MemoryLimit)
	to.ObserveInt64(o.sheds, int64(l.MemorySheds), metric.WithAttributes(attribute.String(keyReason, "memory")))
	for _, load := range l.Routes {
		o.route(to, load)
	}
	for _, e := range l.Exports {
		o.export(to, e)
	}
}

func (o *observed) route(to metric.Observer, load Load) {
	route := attribute.String(keyRoute, load.Route)
	only := metric.WithAttributes(route)
	with := func(key, value string) metric.ObserveOption {
		return metric.WithAttributes(route, attribute.String(key, value))
	}
	to.ObserveInt64(o.calls, int64(load.Calls), only)
	to.ObserveInt64(o.streams, int64(load.Streams), only)
	to.ObserveInt64(o.circuit, int64(load.Circuit), only)
	to.ObserveInt64(o.queue, int64(load.WaitingCalls), with(keyKind, "call"))
	to.ObserveInt64(o.queue, int64(load.WaitingStreams), with(keyKind, "stream"))
	to.ObserveInt64(o.pool, int64(load.Active), with(keyState, "active"))
	to.ObserveInt64(o.pool, int64(load.Idle), with(keyState, "idle"))
	for reason, n := range load.Sheds {
		to.ObserveInt64(o.sheds, int64(n), with(keyReason, reason))
	}
	if !load.Held {
		return
	}
	to.ObserveFloat64(o.age, load.Age.Seconds(), only)
	if !load.Expires.IsZero() {
		to.ObserveFloat64(o.expiry, float64(load.Expires.UnixMilli())/1e3, only)
	}
}

func (o *observed) export(to metric.Observer, e Export) {
	signal := attribute.String(keySignal, e.Signal)
	only := metric.WithAttributes(signal)
	with := func(reason string) metric.ObserveOption {
		return metric.WithAttributes(signal, attribute.String(keyReason, reason))
	}
	to.ObserveInt64(o.exported, int64(e.Exported), only)
	to.ObserveInt64(o.lost, int64(e.Failed), with("failed"))
	if e.Signal == "metrics" {
		return // they do not wait: what is not sent is a part of what is sent next
	}
	to.ObserveInt64(o.lost, int64(e.QueueFull), with("queue_full"))
	to.ObserveInt64(o.exportQueue, int64(e.Queued), only)
}
