package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Reloaded notes how the last attempt to apply a config ended, and if well what now serves: so many routes, of
// a config with this hash.
func (r *Recorder) Reloaded(ok bool, at time.Time, routes int, hash string) {
	ctx := context.Background()
	if !ok {
		r.reloaded.Record(ctx, 0)
		return
	}
	r.reloaded.Record(ctx, 1)
	r.reloadAt.Record(ctx, float64(at.UnixMilli())/1e3)
	r.routes.Record(ctx, int64(routes))
	r.hash.Store(&hash)
}

// observeConfig tells the one hash that serves. Recorded by a Gauge instead, all that ever served would stay.
func (r *Recorder) observeConfig(_ context.Context, o metric.Int64Observer) error {
	if hash := r.hash.Load(); hash != nil {
		o.Observe(1, metric.WithAttributes(attribute.String(keyHash, *hash)))
	}
	return nil
}
