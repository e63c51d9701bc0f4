package telemetry

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// instruments makes every counter of this room. Names and boundaries of the two MCP histograms are the
// conventions'; the others become signet_* in Prometheus.
func (r *Recorder) instruments(m metric.Meter) error {
	var errs [13]error
	seconds := metric.WithExplicitBucketBoundaries(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)
	r.server, errs[0] = m.Float64Histogram("mcp.server.operation.duration", metric.WithUnit("s"), seconds,
		metric.WithDescription("Time from a message's arrival to the last byte of its answer."))
	r.client, errs[1] = m.Float64Histogram("mcp.client.operation.duration", metric.WithUnit("s"), seconds,
		metric.WithDescription("Time from sending a message to its upstream to the last byte of its answer."))
	r.active, errs[2] = m.Int64UpDownCounter("signet.calls.active",
		metric.WithDescription("Calls and streams under way."))
	r.refreshes, errs[3] = m.Int64Counter("signet.credentials.refreshes",
		metric.WithDescription("Times a route's credential source was asked."))
	r.dropped, errs[4] = m.Int64Counter("signet.notifications.dropped",
		metric.WithDescription("Notifications that could not be delivered upstream."))
	r.reloaded, errs[5] = m.Int64Gauge("signet.config.last_reload.successful",
		metric.WithDescription("1 when the last config read is the one that serves, else 0."))
	r.reloadAt, errs[6] = m.Float64Gauge("signet.config.last_reload.success.timestamp", metric.WithUnit("s"),
		metric.WithDescription("When a config was last applied, in Unix time."))
	r.routes, errs[7] = m.Int64Gauge("signet.routes",
		metric.WithDescription("Routes that serve."))
	r.retiring, errs[8] = m.Int64UpDownCounter("signet.routes.retiring",
		metric.WithDescription("Replaced and removed routes that still have calls under way."))
	_, errs[9] = m.Int64ObservableGauge("signet.config.info", metric.WithInt64Callback(r.observeConfig),
		metric.WithDescription("1, with the hash of the config that serves."))
	errs[10] = r.observeLoads(m)
	r.panics, errs[11] = m.Int64Counter("signet.panics",
		metric.WithDescription("Requests that ended in a panic of the gateway's own."))
	r.disagreed, errs[12] = m.Int64Counter("signet.header.mismatches",
		metric.WithDescription("Messages of which a header does not say what the body says."))
	return errors.Join(errs[:]...)
}
