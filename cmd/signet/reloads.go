package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"signet/config"
	"signet/gateway"
)

// A reload is somebody's wish to have the file read again now, and where to tell how that went.
type reload struct {
	done chan<- reloaded
}

// reloaded is how a reload ended.
type reloaded struct {
	changes gateway.Changes
	err     error
}

// lookAgain is how long after a reload that was asked for the file is looked at once more: longer than a change takes
// to settle for the watch.
const lookAgain = 3 * time.Second

// loop applies what is asked for and what changes, in the config and in AWS's own files, until ctx ends or a
// listener fails. It alone reloads.
func (d *daemon) loop(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer d.follow(ctx)()
	defer cancel()
	updates := config.Watch(ctx, d.path, d.current, d.options)
	again := time.NewTimer(lookAgain)
	again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-d.listeners.failed:
			return err
		case u, ok := <-updates:
			if !ok {
				updates = nil
				continue
			}
			d.update(ctx, u)
		case <-d.hangups:
			_, _ = d.reload(ctx)
			again.Reset(lookAgain)
		case r := <-d.reloads:
			d.answer(ctx, r)
			again.Reset(lookAgain)
		case <-again.C:
			d.look(ctx)
		}
	}
}

// follow has the gateway follow AWS's own files until ctx ends. wait waits for that; but not for long, since a
// file system that hangs must not keep the program from ending.
func (d *daemon) follow(ctx context.Context) (wait func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.gateway.Follow(ctx)
	}()
	return func() {
		select {
		case <-ended:
		case <-time.After(lastWords):
			d.log.Warn("AWS's files cannot be read in time; they are not waited for")
		}
	}
}

// answer reads the file again for r, and for all who have asked as well by now.
func (d *daemon) answer(ctx context.Context, r reload) {
	asking := append(d.waiting(), r)
	changes, err := d.reload(ctx)
	for _, r := range asking {
		r.done <- reloaded{changes, err}
	}
}

func (d *daemon) waiting() []reload {
	var all []reload
	for {
		select {
		case r := <-d.reloads:
			all = append(all, r)
		default:
			return all
		}
	}
}

// operations are what the operator's socket can ask for.
func (d *daemon) operations() gateway.Operations {
	return gateway.Operations{Reload: d.ask, Diff: d.diff}
}

// diff is what a reload to the file at path would do. It is what POST /-/diff does.
func (d *daemon) diff(_ context.Context, path string) (gateway.Changes, error) {
	cfg, err := config.Load(path, d.options)
	if err != nil {
		return gateway.Changes{}, err
	}
	return d.gateway.Diff(cfg)
}

// ask has the loop read the file again and waits for the outcome. It is what POST /-/reload does.
func (d *daemon) ask(ctx context.Context) (gateway.Changes, error) {
	done := make(chan reloaded, 1)
	select {
	case d.reloads <- reload{done}:
	case <-d.stopping:
		return gateway.Changes{}, errStopping
	case <-ctx.Done():
		return gateway.Changes{}, ctx.Err()
	}
	select {
	case r := <-done:
		return r.changes, r.err
	case <-d.stopping:
		return gateway.Changes{}, errStopping
	case <-ctx.Done():
		return gateway.Changes{}, ctx.Err()
	}
}

var errStopping = errors.New("the gateway is shutting down")

// update applies what the watch saw, unless it serves already.
func (d *daemon) update(ctx context.Context, u config.Update) {
	d.read = u
	if u.Err != nil {
		d.refuse(u.Err)
		d.gateway.Refused(u.Err)
		return
	}
	if d.gateway.Status().LastReload.OK && reflect.DeepEqual(u.Config, d.current) {
		return // a reload that was asked for has applied it
	}
	_, _ = d.apply(ctx, u.Config)
}

// look applies the file unless it is what was last read. The watch does not know what was read for those who asked:
// a file saved, asked for, and put back before it had settled is to the watch the same as ever.
func (d *daemon) look(ctx context.Context) {
	if info, err := os.Stat(d.path); err != nil || !info.Mode().IsRegular() {
		return // a pipe has been read; a file that is gone is the watch's to tell
	}
	cfg, err := config.Load(d.path, d.options)
	if err != nil && d.read.Err != nil && err.Error() == d.read.Err.Error() || err == nil && reflect.DeepEqual(cfg, d.read.Config) {
		return
	}
	d.update(ctx, config.Update{Config: cfg, Err: err})
}

// reload reads the file and applies it, changed or not.
func (d *daemon) reload(ctx context.Context) (gateway.Changes, error) {
	cfg, err := config.Load(d.path, d.options)
	d.read = config.Update{Config: cfg, Err: err}
	if err != nil {
		d.refuse(err)
		d.gateway.Refused(err)
		return gateway.Changes{}, err
	}
	return d.apply(ctx, cfg)
}

// apply makes cfg the config that serves, or logs why not and changes nothing.
func (d *daemon) apply(ctx context.Context, cfg *config.Config) (gateway.Changes, error) {
	prepare := func(next *config.Config) (func(), error) { return d.prepare(ctx, next) }
	changes, err := d.gateway.Reload(ctx, cfg, prepare)
	if err != nil {
		d.refuse(err)
		return changes, err
	}
	d.current = cfg
	d.log.Info("config reloaded", changePairs(changes)...)
	d.warn(cfg)
	d.tell(reloaded{changes: changes})
	return changes, nil
}

func (d *daemon) tell(r reloaded) {
	if d.told != nil {
		d.told(r)
	}
}

// refuse logs why a config is not applied, a line for each problem.
func (d *daemon) refuse(err error) {
	d.tell(reloaded{err: err})
	var invalid *config.Invalid
	if !errors.As(err, &invalid) {
		d.log.Error("config refused, the old one serves on", "err", err.Error())
		return
	}
	for _, p := range invalid.Problems {
		if p.Warning {
			continue // not why, and said again once it is applied
		}
		d.log.Error("config refused, the old one serves on", problemPairs(p)...)
	}
}

// warn logs what a config may be wrong about, and that anyone is let in if so.
func (d *daemon) warn(cfg *config.Config) {
	for _, p := range cfg.Warnings {
		d.log.Warn("config warning", problemPairs(p)...)
	}
	if cfg.Auth.Mode == "none" {
		d.log.Warn("auth.mode is none: every program on this machine may call with these identities")
	}
}

// changePairs are what signet diff and signet reload print, as pairs of a log line.
func changePairs(c gateway.Changes) []any {
	pairs := []any{"snapshot", c.Snapshot, "added", c.Added, "changed", c.Changed, "removed", c.Removed, "kept", len(c.Kept)}
	if len(c.Parts) > 0 {
		pairs = append(pairs, "parts", c.Parts)
	}
	if len(c.Gateway) > 0 {
		pairs = append(pairs, "gateway", c.Gateway)
	}
	return pairs
}

func problemPairs(p config.Problem) []any {
	pairs := []any{"at", fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column), "key", p.Key, "problem", p.What}
	if p.Hint != "" {
		pairs = append(pairs, "hint", p.Hint)
	}
	return pairs
}
