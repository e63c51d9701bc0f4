package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"signet/config"
)

const (
	// demoLasts is how long clients call at least.
	demoLasts = 2500 * time.Millisecond

	// demoReload bounds the wait for one edit to be applied or refused.
	demoReload = 5 * time.Second
)

func (p *program) demoCommand() *cobra.Command {
	var keep bool
	demo := &cobra.Command{
		Use:   "demo",
		Short: "Show it at work: a pretend AWS, four identities, edits and rotations under load",
		Long: `Show it at work, on this machine alone: no account, no network, no settings of yours.

A pretend AWS with four MCP servers checks every signature. Clients call all of them through a gateway
at once while credentials are rotated and the config file is edited. What happened is printed.`,
		Args: cobra.NoArgs,
		RunE: verb(func([]string) error { return p.demo(keep) }),
	}
	demo.Flags().BoolVar(&keep, "keep", false, "keep it running afterwards, and say how a client connects")
	return demo
}

// A demo is the pretend AWS, a gateway in front of it, and the calls between.
type demo struct {
	// fixed at build
	out     io.Writer
	dir     string
	key     string
	cloud   *demoCloud
	config  *demoConfig
	daemon  *daemon
	traffic *demoTraffic
	trace   *demoTrace
	reloads chan reloaded

	edits []demoOutcome
}

// A demoOutcome is how one edit of the config file ended.
type demoOutcome struct {
	demoEdit
	reloaded
	took time.Duration
}

func (p *program) demo(keep bool) error {
	stop, kill, release := signals()
	defer release()
	dir, err := os.MkdirTemp("", "signet-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	d, err := newDemo(p.stdout, dir)
	if err != nil {
		return err
	}
	defer d.cloud.close()
	return d.run(stop, kill, keep)
}

// newDemo starts the pretend AWS and writes the files. Nothing is called yet.
func newDemo(out io.Writer, dir string) (*demo, error) {
	d := &demo{out: out, dir: dir, key: newSecret(), trace: new(demoTrace), reloads: make(chan reloaded, 16)}
	routes := demoRoutes()
	var err error
	if d.cloud, err = newDemoCloud(dir, routes); err != nil {
		return nil, err
	}
	d.config = &demoConfig{dir: dir, routes: routes}
	d.traffic = newDemoTraffic(routes)
	err = errors.Join(d.cloud.shield(), d.config.save(d.config.first()), keysFile(d.config.keysPath()).add("demo", d.key))
	return d, err
}

// run serves, lets clients call while things change, and tells what happened.
func (d *demo) run(stop, kill context.Context, keep bool) error {
	began := time.Now()
	if err := d.start(stop); err != nil {
		return err
	}
	serving, end := context.WithCancel(context.Background())
	looped := make(chan error, 1)
	go func() { looped <- d.daemon.loop(serving) }()
	err := d.show(stop)
	if err == nil {
		err = d.report(time.Since(began))
	}
	if err == nil && keep && stop.Err() == nil {
		d.connect()
		<-stop.Done()
	}
	end()
	return errors.Join(err, <-looped, d.daemon.stop(kill))
}

// start runs a gateway in this process, on a real file and a real socket, that can dial this machine only.
func (d *demo) start(ctx context.Context) error {
	o := config.Options{Environ: os.Environ()}
	cfg, err := config.Load(d.config.path(), o)
	if err != nil {
		return err
	}
	logFile, err := os.OpenFile(d.logPath(), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	log, err := newLogging(logFile, cfg.Log)
	if err != nil {
		return err
	}
	d.daemon = newDaemon(d.config.path(), o, log)
	d.daemon.dial = dialLoopback
	d.daemon.told = func(r reloaded) { d.reloads <- r }
	if d.daemon.telemetry, err = newTelemetry(ctx, o.Environ, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	b, err := d.daemon.listeners.prepare(cfg.Listen, cfg.TLS)
	if err != nil {
		return err
	}
	if err := d.daemon.start(ctx, cfg, b); err != nil {
		return err
	}
	d.daemon.telemetry.collect(cfg.Telemetry, d.trace.keep)
	return nil
}

func (d *demo) logPath() string { return filepath.Join(d.dir, "signet.log") }

func (d *demo) url() string { return d.daemon.listeners.urls()[0] }

// show lets clients call all routes while the file is edited and credentials are replaced.
func (d *demo) show(stop context.Context) error {
	ctx, cancel := context.WithCancel(stop)
	defer cancel()
	least := time.NewTimer(demoLasts)
	defer least.Stop()
	d.traffic.run(ctx, d.url(), d.key)
	err := d.edit(ctx)
	select {
	case <-least.C:
	case <-stop.Done():
		err = errors.Join(err, errors.New("interrupted"))
	}
	cancel()
	d.traffic.wait()
	return err
}

// edit saves the file again and again, each time after the last edit was applied or refused.
func (d *demo) edit(ctx context.Context) error {
	for _, edit := range d.config.edits() {
		saved := time.Now()
		if err := d.config.save(edit.text); err != nil {
			return err
		}
		select {
		case r := <-d.reloads:
			d.edits = append(d.edits, demoOutcome{edit, r, time.Since(saved)})
		case <-time.After(demoReload):
			return fmt.Errorf("the edit %q was neither applied nor refused within %v", edit.what, demoReload)
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// dialLoopback refuses every address but this machine's own.
func dialLoopback(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("dial %s: the demo connects to this machine only", address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}
