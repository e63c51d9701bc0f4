package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"signet/config"
	"signet/gateway"
)

// lastWords is how long connections get to close once no call is left, or after a second signal.
const lastWords = time.Second

// maxAsking is how many may wait for a reload in the loop's own queue; more wait outside of it.
const maxAsking = 64

// A daemon is a gateway at work: what is served, on which sockets, and what of it follows the config.
type daemon struct {
	// fixed at build
	path      string
	options   config.Options
	log       *logging
	gateway   *gateway.Gateway
	listeners *listeners
	telemetry *telemetry
	operator  *operator // nil where the system has none
	reloads   chan reload
	hangups   <-chan os.Signal // caught from the first moment on: an unexpected SIGHUP would end the program
	deafen    func()
	stopping  chan struct{}                                                        // closed when no reload is taken any more
	dial      func(ctx context.Context, network, address string) (net.Conn, error) // nil: a net.Dialer
	told      func(reloaded)                                                       // hears how each reload ended; may be nil

	// the loop's own
	current *config.Config
	read    config.Update // what was last read of the file since the start
}

func newDaemon(path string, o config.Options, log *logging) *daemon {
	o.Notice = func(text string) { log.Warn(text) }
	d := &daemon{
		path: path, options: o, log: log, listeners: newListeners(log.Logger),
		reloads: make(chan reload, maxAsking), stopping: make(chan struct{}),
	}
	d.hangups, d.deafen = hangups()
	return d
}

// start serves cfg on sockets that are bound already. When it fails it has closed them.
func (d *daemon) start(ctx context.Context, cfg *config.Config, b *binding) error {
	commitTelemetry, err := d.telemetry.prepare(ctx, cfg.Telemetry)
	if err != nil {
		b.discard()
		return err
	}
	d.gateway, err = gateway.New(cfg, gateway.Options{
		Logger:         d.log.Logger,
		TracerProvider: d.telemetry.tracers,
		Traced:         d.telemetry.tracers.on,
		MeterProvider:  d.telemetry.meterProvider(),
		Propagator:     d.telemetry.propagator(),
		Metrics:        d.telemetry.metrics,
		Exports:        d.telemetry.status,
		Version:        version(),
		Dial:           d.dial,
	})
	if err != nil {
		b.discard()
		return err
	}
	if err := d.telemetry.count("signet.log.lost", "Log lines that could not be written.", d.log.lost); err != nil {
		b.discard()
		return err
	}
	commitTelemetry()
	leaveGarbage(cfg.Memory)
	d.current = cfg
	b.commit(d.gateway, cfg.Drain)
	if d.operator != nil {
		d.operator.serve(d.gateway.Operator(d.operations()), d.log.Logger)
	}
	d.warn(cfg)
	return nil
}

// prepare does what may fail of the program's own half of a reload. When it fails it has undone it.
func (d *daemon) prepare(ctx context.Context, next *config.Config) (commit func(), err error) {
	commitLog, err := d.log.prepare(next.Log)
	if err != nil {
		return nil, err
	}
	b, err := d.listeners.prepare(next.Listen, next.TLS)
	if err != nil {
		return nil, err
	}
	commitTelemetry, err := d.telemetry.prepare(ctx, next.Telemetry)
	if err != nil {
		b.discard()
		return nil, err
	}
	return func() {
		b.commit(d.gateway, next.Drain)
		commitTelemetry()
		commitLog()
		leaveGarbage(next.Memory)
	}, nil
}

// stop refuses new calls and connections, waits for the calls under way until the drain is over or kill ends,
// and closes everything. It is an error when a call was cut off without a last word.
func (d *daemon) stop(kill context.Context) error {
	close(d.stopping)
	ctx, cancel := context.WithTimeout(kill, d.current.Drain)
	defer cancel()
	d.log.Info("draining", "longest", d.current.Drain.String())
	drained := make(chan error, 1)
	go func() { drained <- d.gateway.Shutdown(ctx) }() // it says so to those who ask from its first moment on
	d.listeners.refuse()
	grace, err := lastWords, error(nil)
	select {
	case err = <-drained:
	case <-ctx.Done():
		var late bool
		if err, late = lateBy(drained, lastWords); late {
			grace = 0 // they had it
		}
	}
	if err != nil {
		d.log.Warn("drained", "err", err.Error())
	}
	if cut := d.close(kill, grace); cut > 0 {
		return fmt.Errorf("connections that were closed before their calls had a last word: %d", cut)
	}
	return nil
}

// lateBy is what comes within d, or that nothing does.
func lateBy(from <-chan error, d time.Duration) (err error, late bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case err = <-from:
		return err, false
	case <-timer.C:
		return nil, true
	}
}

// close ends what start did not, or stop has drained. The answers that are on their way out get a moment
// even when kill has ended; spans and operators do not. It returns on how many connections they had not enough.
func (d *daemon) close(kill context.Context, grace time.Duration) (cut int64) {
	cut = d.listeners.close(grace)
	d.deafen()
	if d.operator != nil {
		d.operator.close(kill)
	}
	if err := d.telemetry.shutdown(kill); err != nil {
		d.log.Warn("not all telemetry was sent", "err", err.Error())
	}
	return cut
}
