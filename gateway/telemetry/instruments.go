package telemetry

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// instruments are the counters of this room that are not read from Loads.
type instruments struct {
	server, client, serverSession, clientSession, queueWait metric.Float64Histogram

	active, retiring                    metric.Int64UpDownCounter
	refreshes, dropped, panics, retries metric.Int64Counter
	reloaded, routes                    metric.Int64Gauge
	reloadAt                            metric.Float64Gauge
}

// make makes every counter. Names and boundaries of the MCP histograms are the conventions'; the others become
// signet_* in Prometheus.
func (r *Recorder) make(m metric.Meter) error {
	errs := r.histograms(m)
	note := func(err error) { errs = append(errs, err) }
	var err error
	r.active, err = m.Int64UpDownCounter(metricActive,
		metric.WithDescription("Calls and streams under way."))
	note(err)
	r.refreshes, err = m.Int64Counter(metricRefreshes,
		metric.WithDescription("Times a route's credential source was asked."))
	note(err)
	r.dropped, err = m.Int64Counter(metricDropped,
		metric.WithDescription("Notifications that could not be delivered upstream."))
	note(err)
	r.retries, err = m.Int64Counter(metricRetries,
		metric.WithDescription("Times a call was sent once more, by why."))
	note(err)
	r.panics, err = m.Int64Counter(metricPanics,
		metric.WithDescription("Requests that ended in a panic of the gateway's own."))
	note(err)
	r.reloaded, err = m.Int64Gauge(metricReloaded,
		metric.WithDescription("1 when the last config read is the one that serves, else 0."))
	note(err)
	r.reloadAt, err = m.Float64Gauge(metricReloadedAt, metric.WithUnit("s"),
		metric.WithDescription("When a config was last applied, in Unix time."))
	note(err)
	r.routes, err = m.Int64Gauge(metricRoutes,
		metric.WithDescription("Routes that serve."))
	note(err)
	r.retiring, err = m.Int64UpDownCounter(metricRetiring,
		metric.WithDescription("Replaced and removed routes that still have calls under way."))
	note(err)
	_, err = m.Int64ObservableGauge(metricConfig, metric.WithInt64Callback(r.observeConfig),
		metric.WithDescription("1, with the hash of the config that serves."))
	note(err)
	note(r.observeLoads(m))
	return errors.Join(errs...)
}

func (r *Recorder) histograms(m metric.Meter) (errs []error) {
	byConvention := metric.WithExplicitBucketBoundaries(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)
	for _, h := range []struct {
		into              *metric.Float64Histogram
		name, description string
		boundaries        metric.HistogramOption
	}{
		{&r.server, metricServer, "Time from a message's arrival to the last byte of its answer.", byConvention},
		{&r.client, metricClient, "Time from sending a message to its upstream to the last byte of its answer.", byConvention},
		{&r.serverSession, metricServerSession, "Time from a session's first message to its last, of clients.", byConvention},
		{&r.clientSession, metricClientSession, "Time from a session's first message to its last, with upstreams.", byConvention},
		{&r.queueWait, metricQueueWait, "Time that calls and streams waited for a place, of those that had to.",
			metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)},
	} {
		var err error
		*h.into, err = m.Float64Histogram(h.name, metric.WithUnit("s"), h.boundaries, metric.WithDescription(h.description))
		errs = append(errs, err)
	}
	return errs
}
