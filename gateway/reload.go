package gateway

import (
	"context"
	"fmt"
	"time"

	"signet/config"
)

// A Prepare does the fallible part of what the program itself must change for a config: listeners, log
// level, exporters. It is the last step that may fail; when it does it undoes its own half. Otherwise
// commit is called once next serves.
type Prepare func(next *config.Config) (commit func(), err error)

// A CutError says that calls were ended before they were done.
type CutError struct {
	// Calls is how many.
	Calls int
}

// Error says how many calls were cut.
func (e *CutError) Error() string {
	return fmt.Sprintf("%d calls were ended before they were done", e.Calls)
}

// outcome is how the last attempt to apply a config ended.
type outcome struct {
	at     time.Time
	err    error // nil: applied
	goodAt time.Time
}

// Reload makes cfg the config that serves, or changes nothing and says why. Routes that are equal stay as
// they are; of a route that changed, each part whose config is equal stays. Calls under way end on what
// they began with. It is one at a time; where it has to wait for replaced routes to end, it does so until ctx
// ends or the gateway does. prepare may be nil.
func (g *Gateway) Reload(ctx context.Context, cfg *config.Config, prepare Prepare) (Changes, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.retired.room(ctx); err != nil {
		return Changes{}, err
	}
	old := g.current.Load()
	next, err := g.build(cfg, old)
	if err != nil {
		g.Refused(err)
		return Changes{}, err
	}
	commit := func() {}
	if prepare != nil {
		if commit, err = prepare(cfg); err != nil {
			g.Refused(err)
			return Changes{}, err
		}
	}
	for _, rt := range next.routes {
		if !old.has(rt) {
			rt.hold()
			rt.places.Adjust(limits(rt.config))
			if before := old.route(rt.name); before != nil && before.pool != rt.pool {
				rt.places.Renew()
			}
		}
	}
	g.memory.Adjust(int64(cfg.Memory))
	g.recorder.Capture(cfg.Telemetry.CaptureArguments)
	g.lines.set(cfg.Log.Calls)
	g.current.Store(next)
	commit()
	for _, rt := range old.all() {
		if !next.has(rt) {
			g.retired.add(rt, cfg.Drain)
		}
	}
	now := time.Now()
	g.last.Store(&outcome{at: now, goodAt: now})
	g.recorder.Reloaded(true, now, len(next.routes), cfg.Hash)
	return compare(old, next), nil
}

// Diff is what Reload of cfg would do, by the same code, without doing it: it changes and counts nothing. What
// only a Prepare can refuse, such as a busy address, it does not see.
func (g *Gateway) Diff(cfg *config.Config) (Changes, error) {
	if g.draining.Load() {
		return Changes{}, errDraining
	}
	old := g.current.Load()
	next, err := g.build(cfg, old)
	if err != nil {
		return Changes{}, err
	}
	return compare(old, next), nil
}

// Refused notes that a config was not applied: the status and the metrics show it until one is.
func (g *Gateway) Refused(err error) {
	next := &outcome{at: time.Now(), err: err}
	for {
		before := g.last.Load()
		if before != nil {
			next.goodAt = before.goodAt
		}
		if g.last.CompareAndSwap(before, next) {
			break
		}
	}
	g.recorder.Reloaded(false, next.at, 0, "")
}
