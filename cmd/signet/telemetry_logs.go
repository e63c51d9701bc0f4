package main

import (
	"context"
	"log/slog"
	"sync/atomic"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// maxQueuedRecords is the SDK's own default.
const maxQueuedRecords = 2048

// newLogs makes what log records are sent by. Nil: the environment names nothing.
func (t *telemetry) newLogs(ctx context.Context) (*sdklog.LoggerProvider, error) {
	to := logDestination(t.environ)
	if to == "none" {
		return nil, nil
	}
	exporter, err := autoexport.NewLogExporter(ctx)
	if err != nil {
		return nil, err
	}
	q := &logQueue{of: t.exports.logs, limit: t.environ.number("OTEL_BLRP_MAX_QUEUE_SIZE", maxQueuedRecords)}
	var options []sdklog.BatchProcessorOption
	if t.environ.get("OTEL_BLRP_EXPORT_TIMEOUT") == "" {
		options = append(options, sdklog.WithExportTimeout(exportTime))
	}
	q.Processor = sdklog.NewBatchProcessor(countedLogs{exporter, q}, options...)
	t.exports.logs.goTo(to, &q.waiting, q.limit)
	return sdklog.NewLoggerProvider(sdklog.WithResource(t.resource), sdklog.WithProcessor(q)), nil
}

// logHandler sends what is logged. Nil: nothing is sent.
func (t *telemetry) logHandler() slog.Handler {
	if t.logs == nil {
		return nil
	}
	return otelslog.NewHandler("signet", otelslog.WithLoggerProvider(t.logs))
}

// logDestination is what OTEL_LOGS_EXPORTER names, otlp if the environment says where log records go, else none.
func logDestination(env environ) string {
	switch name := env.get("OTEL_LOGS_EXPORTER"); {
	case env.get("OTEL_SDK_DISABLED") == "true":
		return "none"
	case name != "":
		return name
	case env.get("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT") != "":
		return "otlp"
	}
	return "none"
}

// A logQueue is to log records what a spanQueue is to spans.
type logQueue struct {
	sdklog.Processor
	of      *export
	limit   int
	waiting atomic.Int64
}

// OnEmit lets a record wait to be sent, or drops it.
func (q *logQueue) OnEmit(ctx context.Context, r *sdklog.Record) error {
	if !q.of.admit(&q.waiting, q.limit) {
		return nil
	}
	return q.Processor.OnEmit(ctx, r)
}

// countedLogs count what becomes of the records of a queue.
type countedLogs struct {
	sdklog.Exporter
	queue *logQueue
}

// Export sends records.
func (c countedLogs) Export(ctx context.Context, records []sdklog.Record) error {
	err := c.Exporter.Export(ctx, records)
	c.queue.waiting.Add(-int64(len(records)))
	c.queue.of.ended(len(records), err)
	return err
}
