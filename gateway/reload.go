package gateway

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"signet/config"
)

// Changes are what a reload did, by route name, each list sorted.
type Changes struct {
	// Snapshot is the number of the snapshot that serves now.
	Snapshot uint64 `json:"snapshot"`

	// Added, Changed, Removed and Kept name the routes. Kept ones are the same machinery as before.
	Added   []string `json:"added"`
	Changed []string `json:"changed"`
	Removed []string `json:"removed"`
	Kept    []string `json:"kept"`
}

// String is the changes as one line: "snapshot 7: 1 added, 2 changed, 0 removed, 11 kept".
func (c Changes) String() string {
	return fmt.Sprintf("snapshot %d: %d added, %d changed, %d removed, %d kept",
		c.Snapshot, len(c.Added), len(c.Changed), len(c.Removed), len(c.Kept))
}

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
// they began with. prepare may be nil.
func (g *Gateway) Reload(cfg *config.Config, prepare Prepare) (Changes, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining.Load() {
		return Changes{}, errDraining
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
		}
	}
	g.current.Store(next)
	commit()
	g.retire(old, next)
	now := time.Now()
	g.last.Store(&outcome{at: now, goodAt: now})
	g.recorder.Reloaded(true, now, len(next.routes))
	return compare(old, next), nil
}

// Refused notes that a config was not applied: the status and the metrics show it until one is.
func (g *Gateway) Refused(err error) {
	next := &outcome{at: time.Now(), err: err}
	if before := g.last.Load(); before != nil {
		next.goodAt = before.goodAt
	}
	g.last.Store(next)
	g.recorder.Reloaded(false, next.at, 0)
}

// retire lets the routes of old that are not in next end, each beside the others.
func (g *Gateway) retire(old, next *snapshot) {
	if old == nil {
		return
	}
	for _, rt := range old.routes {
		if next.has(rt) {
			continue
		}
		g.retiring.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), next.config.Drain)
			defer cancel()
			if n := rt.end(ctx, errRetired); n > 0 {
				g.log.Warn("calls of a replaced route outlived the drain", "route", rt.name, "calls", n)
			}
		})
	}
}

// compare says how next differs from old, which is nil at the start.
func compare(old, next *snapshot) Changes {
	c := Changes{Snapshot: next.number, Added: []string{}, Changed: []string{}, Removed: []string{}, Kept: []string{}}
	for _, name := range slices.Sorted(maps.Keys(next.routes)) {
		switch {
		case old == nil || old.routes[name] == nil:
			c.Added = append(c.Added, name)
		case old.routes[name] == next.routes[name]:
			c.Kept = append(c.Kept, name)
		default:
			c.Changed = append(c.Changed, name)
		}
	}
	if old == nil {
		return c
	}
	for name := range old.routes {
		if next.routes[name] == nil {
			c.Removed = append(c.Removed, name)
		}
	}
	slices.SortFunc(c.Removed, strings.Compare)
	return c
}
