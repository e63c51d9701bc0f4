// Package credentials keeps one route's AWS credentials fresh beside its calls.
//
// A Cache holds one Generation at a time. A call that finds it valid takes it without waiting, and without
// a lock, even while the next one is being fetched; a fetch that fails is invisible until what is held has
// really expired. There is one fetch at a time, it belongs to no call, and it has a deadline of its own.
package credentials

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// quiet is how long a source is not asked again after it returned the very credentials that were refused,
	// or others that were refused as well.
	quiet = 10 * time.Second

	// farewell is how long credentials may serve that their files do not say any more, when what they say
	// instead cannot be used: a file may be in between two edits, but a key that was taken out is to go.
	farewell = time.Minute
)

// A Cache keeps one route's credentials usable. Make it with New; it is safe for concurrent use.
type Cache struct {
	// fixed at build
	source  Source
	options Options
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc

	// swapped
	held     atomic.Pointer[Generation] // stored under mu, loaded without
	due      atomic.Bool                // the files say something else than when it was fetched
	accepted atomic.Uint64              // the newest generation that AWS has taken; it only grows
	wait     atomic.Int64               // Options.Wait
	timeout  atomic.Int64               // Options.Timeout
	asking   atomic.Int32               // fetches that have not returned, left behind or not
	looks    chan struct{}              // holds one for each look at the files for a refusal

	// guarded
	mu      sync.Mutex
	flight  *flight     // under mu; nil: none is under way
	backoff backoff     // under mu
	refused *Generation // the last that AWS refused; under mu
	gaveUp  time.Time   // when that was; under mu
	vain    time.Time   // when other credentials did not mend a refusal; under mu
	edited  time.Time   // since when due; under mu
	news    time.Time   // when the files last changed; under mu
	seq     uint64      // under mu
	last    LastRefresh // under mu
}

// New makes a Cache. It asks nothing of source until the first Get.
func New(source Source, o Options) *Cache {
	c := &Cache{source: source, options: o, looks: make(chan struct{}, maxDeaf)}
	c.Bound(o.Timeout, o.Wait)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Bound sets Options.Timeout and Options.Wait anew, for fetches and waits that begin later.
func (c *Cache) Bound(timeout, wait time.Duration) {
	c.timeout.Store(int64(cmp.Or(timeout, 45*time.Second)))
	c.wait.Store(int64(cmp.Or(wait, 10*time.Second)))
}

// Close ends the fetch under way and whoever waits for it. After it Get fails.
func (c *Cache) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel()
	c.held.Store(nil)
}

// Ready reports whether Get would return at once with credentials.
func (c *Cache) Ready(now time.Time) bool { return c.held.Load().valid(now) }

// Get is the generation to sign with at now, by AWS's clock; pauses and waits go by our own. While there is a
// valid one it returns at once; otherwise it waits, with everyone else, for the one fetch under way: at most
// Options.Wait, and not past ctx. The error is an *Error, or that of ctx.
func (c *Cache) Get(ctx context.Context, now time.Time) (*Generation, error) {
	g := c.held.Load()
	if !g.valid(now) {
		return c.await(ctx, now)
	}
	if !g.fresh(now) || c.due.Load() {
		c.renew(ctx, g)
	}
	return g, nil
}

// renew begins the fetch of what comes after g, beside whoever calls. Its failure is nobody's while g is
// valid. Whoever finds the lock taken leaves it to the one who has it.
func (c *Cache) renew(ctx context.Context, g *Generation) {
	if !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	if c.flight == nil && c.held.Load() == g && c.backoff.wait(time.Now()) == 0 {
		c.flight = c.take(ctx)
	}
}

// await waits for the fetch under way, which it begins if there is none.
func (c *Cache) await(ctx context.Context, now time.Time) (*Generation, error) {
	f, g, err := c.join(ctx, now)
	if f == nil {
		return g, err
	}
	wait := time.Duration(c.wait.Load())
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-f.done:
		return f.result, f.err
	case <-timer.C:
		return nil, f.stage.silent(wait).after(time.Second)
	case <-c.ctx.Done():
		return nil, routeGone()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// join is the flight to wait for. Without one there is a generation after all, or no use in waiting.
func (c *Cache) join(ctx context.Context, now time.Time) (*flight, *Generation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return nil, nil, routeGone()
	}
	if g := c.held.Load(); g.valid(now) || g.neverWas(now, time.Now()) {
		return nil, g, nil // it landed since the caller looked, or no other is better
	}
	if c.flight == nil {
		if wait := c.backoff.wait(time.Now()); wait > 0 {
			return nil, nil, c.backoff.last.after(wait)
		}
		c.flight = c.take(ctx)
	}
	return c.flight, nil, nil
}

// Recheck has the source look at its files again. If they say something else than at the last fetch they are
// asked anew at once, whatever pause there was: what is held serves until then, and a fetch under way is made
// again. It is for whoever watches the files, and does nothing for a source without.
func (c *Cache) Recheck() {
	source, ok := c.source.(interface{ Changed(holding bool) bool })
	if !ok || !source.Changed(c.held.Load() != nil) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backoff, c.gaveUp, c.vain = backoff{}, time.Time{}, time.Time{}
	c.news = time.Now().Round(0)
	switch {
	case c.ctx.Err() != nil:
	case c.flight != nil:
		c.flight.outdated = true
	case c.held.Load() != nil:
		if !c.due.Swap(true) {
			c.edited = time.Now()
		}
		c.flight = c.take(context.Background())
	}
}
