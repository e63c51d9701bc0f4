package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"signet/config"
)

// hung are exporters that are silent until their context ends.
type hung struct{}

func (hung) ExportSpans(ctx context.Context, _ []sdktrace.ReadOnlySpan) error { return wait(ctx) }
func (hung) Export(ctx context.Context, _ []sdklog.Record) error              { return wait(ctx) }
func (hung) ForceFlush(context.Context) error                                 { return nil }
func (hung) Shutdown(context.Context) error                                   { return nil }

func wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// Row P04, in a bubble whose clock stands still as long as anybody runs: were a call ever to wait for the collector,
// time would pass.
func TestFault_P04_ACollectorThatHangsHoldsNobodyUp(t *testing.T) {
	const spans = 100_000
	synctest.Test(t, func(t *testing.T) {
		tel := newTestTelemetry(t, nil)
		q := tel.batch(hung{})
		provider := tel.newProvider(config.Telemetry{Sample: 1}, q)
		tracer, began := provider.Tracer("x"), time.Now()
		for range spans {
			_, span := tracer.Start(t.Context(), "a-call")
			span.End()
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("ending %d spans took %s", spans, took)
		}
		e := tel.exports.traces
		if waiting := q.waiting.Load(); waiting != 2048 || e.full.Load() != spans-2048 {
			t.Errorf("%d wait and %d were dropped, want 2048 and the rest", waiting, e.full.Load())
		}
		<-time.After(time.Hour) // a batch may be a small one, whenever its timer and the next span are there at once
		synctest.Wait()
		if q.waiting.Load() != 0 || e.failed.Load() != 2048 || e.exported.Load() != 0 || e.last.Load() == nil {
			t.Errorf("an hour later %d wait, %d failed and %d were sent", q.waiting.Load(), e.failed.Load(), e.exported.Load())
		}
		_ = provider.Shutdown(t.Context())
	})
}

// The control: the SDK's own way to wait for room is seen by the bubble.
func TestFault_P04_ACollectorThatHangsWouldBeNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(
			sdktrace.NewBatchSpanProcessor(hung{}, sdktrace.WithBlocking(), sdktrace.WithExportTimeout(exportTime))))
		tracer, began := provider.Tracer("x"), time.Now()
		for range 5000 {
			_, span := tracer.Start(t.Context(), "a-call")
			span.End()
		}
		if time.Since(began) < exportTime {
			t.Error("no time passed: this shows nothing")
		}
		_ = provider.Shutdown(t.Context())
	})
}

func TestFault_P04_LogRecordsHoldNobodyUpEither(t *testing.T) {
	const lines = 20_000
	synctest.Test(t, func(t *testing.T) {
		tel := newTestTelemetry(t, nil)
		q := &logQueue{of: tel.exports.logs, limit: maxQueuedRecords}
		q.Processor = sdklog.NewBatchProcessor(countedLogs{hung{}, q}, sdklog.WithExportTimeout(exportTime))
		tel.logs = sdklog.NewLoggerProvider(sdklog.WithProcessor(q))
		log, began := slog.New(tel.logHandler()), time.Now()
		for range lines {
			log.Info("a line")
		}
		e := tel.exports.logs
		if took := time.Since(began); took != 0 || q.waiting.Load() != maxQueuedRecords || e.full.Load() != lines-maxQueuedRecords {
			t.Errorf("after %s %d wait and %d were dropped", took, q.waiting.Load(), e.full.Load())
		}
		<-time.After(time.Hour)
		synctest.Wait()
		if q.waiting.Load() != 0 || e.failed.Load() != maxQueuedRecords {
			t.Errorf("an hour later %d wait, %d failed", q.waiting.Load(), e.failed.Load())
		}
	})
}

// Row P04: whatever a collector does, its spans are counted as lost, it is said once, and the exit waits for 3 s.
func TestFault_P04_WhateverACollectorDoesTheProgramEnds(t *testing.T) {
	var swallowed atomic.Int64
	for name, h := range map[string]http.HandlerFunc{
		"it is silent": func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
		"it says 429, an hour": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		},
		"it says 500 with words": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(500)
			_, _ = io.WriteString(w, strings.Repeat("canary\n", 1000))
		},
		"it answers without end": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			for piece := make([]byte, 1<<20); ; {
				n, err := w.Write(piece)
				if swallowed.Add(int64(n)); err != nil || swallowed.Load() > 1<<30 {
					return
				}
			}
		},
		"it hangs up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"it sends elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(h)
			defer server.Close()
			defer server.CloseClientConnections()
			endsWithin(t, server.URL, "http/protobuf")
		})
	}
	if n := swallowed.Load(); n == 0 || n > 256<<20 {
		t.Errorf("%d bytes of an endless answer were taken", n)
	}
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		t.Run("it accepts and never speaks, by "+protocol, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			endsWithin(t, "http://"+l.Addr().String(), protocol)
		})
		t.Run("it is not there, by "+protocol, func(t *testing.T) { endsWithin(t, "http://127.0.0.1:1", protocol) })
	}
}

// endsWithin sends all there is to a collector and ends.
func endsWithin(t *testing.T, url, protocol string) {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
	t.Setenv("OTEL_LOGS_EXPORTER", "otlp")
	log := new(logText)
	tel, err := newTelemetry(t.Context(), []string{"OTEL_LOGS_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=" + protocol}, slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	applied(t, tel, config.Telemetry{Traces: "otlp", Metrics: []string{"otlp"}, Sample: 1})
	tracer := tel.tracers.Tracer("x")
	lines := slog.New(tel.logHandler())
	for i := range 600 {
		_, span := tracer.Start(t.Context(), fmt.Sprint("a-call-", i))
		span.End()
		lines.Info("a line")
	}
	began := time.Now()
	if err := tel.shutdown(context.Background()); err == nil {
		t.Error("the end says that all was sent")
	}
	if took := time.Since(began); took > flushTime+2*time.Second { // and what a busy machine takes
		t.Errorf("the end took %s", took)
	}
	for _, s := range tel.status() {
		if s.Exported != 0 || s.LastError == "" && s.Queued == 0 || len(s.LastError) > maxTrouble+3 {
			t.Errorf("%s: %d sent, last error %q", s.Signal, s.Exported, s.LastError)
		}
	}
	for line := range strings.Lines(log.String()) {
		if len(line) > 1000 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

func TestTroubleWithACollectorIsToldOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(logText)
		told := &trouble{log: slog.New(slog.NewJSONHandler(log, nil))}
		for range 30 {
			told.tell(errors.New("connection\n refused " + strings.Repeat("x", 1000)))
			<-time.After(5 * time.Second)
		}
		got := log.String()
		if n := strings.Count(got, "telemetry is not taken"); n != 3 || !strings.Contains(got, `"untold":11`) || !strings.Contains(got, "connection refused xxx") {
			t.Errorf("%d lines: %s", n, got)
		}
	})
}

// While the queue is full spans are not even made: a call costs what it would without a collector.
func TestFault_P04_NoSpanIsMadeThatWouldBeDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel := newTestTelemetry(t, nil)
		q := tel.batch(hung{})
		provider := tel.newProvider(config.Telemetry{Sample: 1}, q)
		tracer := provider.Tracer("x")
		recorded := func(n int) (made int) {
			for range n {
				ctx, span := tracer.Start(t.Context(), "a-call")
				if span.IsRecording() {
					made++
				}
				if !span.SpanContext().TraceID().IsValid() || !trace.SpanContextFromContext(ctx).Equal(span.SpanContext()) {
					t.Fatal("a call has no trace id any more")
				}
				span.End()
			}
			return made
		}
		if made := recorded(5000); made != 2048 {
			t.Errorf("%d spans were made, want 2048", made)
		}
		<-time.After(time.Minute)
		if made := recorded(10); made != 10 {
			t.Errorf("%d of 10 spans were made once there was room", made)
		}
		_ = provider.Shutdown(t.Context())
	})
}
