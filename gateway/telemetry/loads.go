package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// Loads are how much of what is limited is in use, and what else is read rather than counted, at one moment.
type Loads struct {
	// Routes are those that serve.
	Routes []Load

	// Memory is how many bytes of MemoryLimit the buffers of all calls hold, and MemorySheds how many times
	// there was not enough.
	Memory, MemoryLimit int64
	MemorySheds         uint64

	// Exports are the kinds of telemetry that are sent somewhere.
	Exports []Export
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

	// Active and Idle are its connections.
	Active, Idle int

	// Held says that there are credentials, Age for how long, and Expires until when. Zero: for ever.
	Held    bool
	Age     time.Duration
	Expires time.Time
}

// An Export is how one kind of telemetry has been sent so far.
type Export struct {
	// Signal is traces, metrics or logs.
	Signal string

	// Exported were sent. QueueFull were dropped since too many waited, Failed since they could not be sent.
	Exported, QueueFull, Failed uint64

	// Queued wait to be sent.
	Queued int
}

// observed are the instruments that are read together.
type observed struct {
	calls, streams, queue, circuit, pool, memory, limit, exportQueue metric.Int64ObservableGauge
	expiry, age                                                      metric.Float64ObservableGauge
	sheds, exported, lost                                            metric.Int64ObservableCounter
}

// observeLoads makes the instruments of what is limited. Routes that serve no more have no series.
func (r *Recorder) observeLoads(m metric.Meter) error {
	if r.loads == nil {
		return nil
	}
	var o observed
	all, errs := o.make(m)
	_, err := m.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		r.endSilent()
		o.observe(to, r.loads())
		return nil
	}, all...)
	return errors.Join(append(errs, err)...)
}

func (o *observed) make(m metric.Meter) (all []metric.Observable, errs []error) {
	for _, g := range []struct {
		into                    *metric.Int64ObservableGauge
		name, unit, description string
	}{
		{&o.calls, metricRunning, "", "Calls that have a place (limits.calls)."},
		{&o.streams, metricStreams, "", "Standing streams that have a place (limits.streams)."},
		{&o.queue, metricQueue, "", "Calls and streams that wait for a place (limits.queue)."},
		{&o.circuit, metricCircuit, "", "0 while the circuit is closed or off, 1 while one call may try, 2 while it is open."},
		{&o.pool, metricPool, "", "Open connections to the upstream, active and idle ones."},
		{&o.memory, metricMemory, "By", "Bytes that the buffers of all calls hold."},
		{&o.limit, metricMemoryMost, "By", "Bytes that they may hold."},
		{&o.exportQueue, metricExportQueue, "", "Spans and log records that wait to be sent to the collector."},
	} {
		var err error
		*g.into, err = m.Int64ObservableGauge(g.name, metric.WithUnit(g.unit), metric.WithDescription(g.description))
		all, errs = append(all, *g.into), append(errs, err)
	}
	for _, g := range []struct {
		into              *metric.Float64ObservableGauge
		name, description string
	}{
		{&o.expiry, metricExpiry, "When the credentials that a route holds expire, in Unix time."},
		{&o.age, metricAge, "For how long a route has held its credentials."},
	} {
		var err error
		*g.into, err = m.Float64ObservableGauge(g.name, metric.WithUnit("s"), metric.WithDescription(g.description))
		all, errs = append(all, *g.into), append(errs, err)
	}
	for _, c := range []struct {
		into              *metric.Int64ObservableCounter
		name, description string
	}{
		{&o.sheds, metricSheds, "Calls and streams that were turned away before they were sent; for want of memory, after it too."},
		{&o.exported, metricExported, "Spans and log records that were sent to the collector, and times that metrics were."},
		{&o.lost, metricLost, "Spans and log records that were not sent to the collector, and times that metrics were not, by why."},
	} {
		var err error
		*c.into, err = m.Int64ObservableCounter(c.name, metric.WithDescription(c.description))
		all, errs = append(all, *c.into), append(errs, err)
	}
	return all, errs
}
