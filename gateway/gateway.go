// Package gateway is the machine: an http.Handler made from a Config, replaced whole when the file changes.
//
// A call goes one way: Gateway finds the snapshot and its guard lets the call in, the route reads and
// admits it, and the forward loop signs it, sends it and streams the answer back. A call ends on the
// snapshot it began with. Nothing here reads files for changes, handles signals or owns a listener.
package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"signet/config"
	"signet/gateway/bulkhead"
	"signet/gateway/credentials"
	"signet/gateway/telemetry"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// A Gateway serves one Config at a time. Make it with New.
type Gateway struct {
	// fixed at build
	options  Options
	log      *slog.Logger
	recorder *telemetry.Recorder
	lines    *callLog
	started  time.Time
	home     *credentials.Home // what the sources of all routes share
	memory   *bulkhead.Memory  // what the buffers of all calls share
	retired  *retired

	// swapped
	current  atomic.Pointer[snapshot]
	last     atomic.Pointer[outcome]
	draining atomic.Bool

	// guarded
	mu sync.Mutex // one reload at a time; no call takes it
}

// Options are what a Gateway needs besides a Config. The zero value works: it logs and records nothing.
type Options struct {
	// Logger is where the gateway logs. Nil: nowhere.
	Logger *slog.Logger

	// TracerProvider makes spans. Nil: none are made.
	TracerProvider trace.TracerProvider

	// Traced reports whether the spans of TracerProvider go anywhere just now; while they do not none are made.
	// Nil: they do.
	Traced func() bool

	// MeterProvider makes instruments. Nil: nothing is counted.
	MeterProvider metric.MeterProvider

	// Propagator reads and writes trace context. Nil: W3C Trace Context.
	Propagator propagation.TextMapPropagator

	// Metrics answers /-/metrics. Nil: that path is not found.
	Metrics http.Handler

	// Exports tell how telemetry that is sent somewhere fares. Nil: there is none.
	Exports func() []ExportStatus

	// Version is told to upstreams in User-Agent, and shown in the status. Empty: "dev".
	Version string

	// Dial opens every connection, to upstreams and to AWS. Nil: a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// New makes a Gateway that serves cfg. It opens no connection and fetches no credentials.
func New(cfg *config.Config, o Options) (*Gateway, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	g := &Gateway{
		options: o, log: o.Logger, lines: newCallLog(o.Logger), started: time.Now(),
		home: credentials.NewHome(), memory: bulkhead.NewMemory(int64(cfg.Memory)),
	}
	var err error
	g.recorder, err = telemetry.New(telemetry.Options{
		Tracers: o.TracerProvider, Traced: o.Traced, Meters: o.MeterProvider, Propagator: o.Propagator, Loads: g.loads,
	})
	if err != nil {
		return nil, err
	}
	g.retired = newRetired(o.Logger, g.recorder)
	if _, err := g.Reload(context.Background(), cfg, nil); err != nil {
		return nil, err
	}
	return g, nil
}

// ServeHTTP answers one request on the config it arrives under, whatever is reloaded meanwhile.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer g.survive(w, r)
	for {
		s := g.current.Load()
		caller, refusal := s.guard.admit(r)
		if refusal != nil {
			refusal.write(w)
			return
		}
		if isOperator(r.URL.Path) {
			g.serveOperator(w, r)
			return
		}
		rt, refusal := s.find(r)
		if refusal != nil {
			refusal.write(w)
			return
		}
		if g.serve(rt, w, r, caller) {
			return
		}
	}
}

// serve lets rt answer and reports whether it did. A route that retired since it was looked up does not,
// unless the whole gateway is ending: then the call is told so.
func (g *Gateway) serve(rt *route, w http.ResponseWriter, r *http.Request, caller string) bool {
	if rt.flight.enter() {
		defer rt.flight.leave()
		rt.serve(w, r, caller, (*call).forward)
		return true
	}
	if g.draining.Load() {
		rt.serve(w, r, caller, (*call).turnAway)
		return true
	}
	return false
}

// Shutdown refuses new calls and reloads, waits for the calls under way until ctx ends, and then ends them
// with a terminal message each. It returns a *CutError that counts what was cut, or nil. The Gateway cannot be used after;
// a second Shutdown does nothing.
func (g *Gateway) Shutdown(ctx context.Context) error {
	if g.draining.Swap(true) {
		return nil
	}
	g.retired.close()
	g.mu.Lock()
	defer g.mu.Unlock()
	last := g.current.Load()
	cut := make(chan int, len(last.routes))
	for _, rt := range last.routes {
		go func() { cut <- rt.end(ctx, errDraining) }()
	}
	n := g.retired.end(ctx)
	for range last.routes {
		n += <-cut
	}
	if n > 0 {
		return &CutError{Calls: n}
	}
	return nil
}
