package credentials

import (
	"context"
	"time"
)

// InVain notes that g, which replaced one that AWS refused, was refused as well: whatever it is that AWS does
// not like, other credentials do not mend it, so that for a while none are sought for a refusal.
func (c *Cache) InVain(g *Generation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g != nil && c.held.Load() == g {
		c.vain = time.Now()
	}
}

// Accepted notes that AWS took a request signed with g: a refusal after it is news. It is cheap enough for
// every call.
func (c *Cache) Accepted(g *Generation) {
	for newest := c.accepted.Load(); newest < g.Seq; newest = c.accepted.Load() {
		if c.accepted.CompareAndSwap(newest, g.Seq) {
			return
		}
	}
}

// Invalidate gives up g, which AWS refused: however many refusals there are, one fetch follows. A fetch
// that was under way is made again if it brings what was refused. A source that still returns the same
// credentials, or new ones of which AWS accepts none, is left alone for ten seconds. g may be nil, and may be
// one that was given up before.
func (c *Cache) Invalidate(g *Generation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g != nil && c.held.Load() == g && !c.refusedAgain(g) {
		c.giveUp(g)
	}
}

// giveUp holds g, which AWS refused, no longer. c.mu is held.
func (c *Cache) giveUp(g *Generation) {
	c.refused, c.gaveUp = g, time.Now()
	c.backoff = backoff{}
	c.held.Store(nil)
	if c.flight != nil {
		c.flight.overtaken = true
		c.flight.stage.refused.Store(&g.Credentials.AccessKeyID)
	}
}

// refusedAgain reports whether g is no better than what was refused a moment ago. c.mu is held.
func (c *Cache) refusedAgain(g *Generation) bool {
	if c.refused == nil {
		return false
	}
	if time.Since(c.vain) < quiet {
		return true
	}
	if same(c.refused.Credentials, g.Credentials) && time.Since(g.Obtained) < quiet {
		return true
	}
	return c.accepted.Load() <= c.refused.Seq && time.Since(c.gaveUp) < quiet
}

// Overtakes reports whether others than g, which AWS refused, are there or to be had, so that Get is not in vain: g is
// held no longer, or the files say something else than when it was fetched. Then g is given up, whatever Invalidate
// leaves alone. It asks the source nothing that its files do not call for, and waits for a look at them at most
// Options.Wait, and not past ctx.
func (c *Cache) Overtakes(ctx context.Context, g *Generation) bool {
	if c.overtakes(g) {
		return true
	}
	c.look(ctx)
	return c.overtakes(g) // what a fetch read meanwhile was no change to whoever looked
}

func (c *Cache) overtakes(g *Generation) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held.Load() != g {
		return true
	}
	f := c.flight
	if f == nil || !c.due.Load() && !f.outdated && !f.again {
		return false
	}
	c.giveUp(g)
	return true
}

// look is Recheck for somebody who waits: no longer than for credentials, even if the files are where nothing
// answers.
func (c *Cache) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.wait.Load()))
	defer cancel()
	select {
	case c.looks <- struct{}{}:
	case <-ctx.Done():
		return
	}
	looked := make(chan struct{})
	go func() {
		defer func() { <-c.looks }()
		defer close(looked)
		c.Recheck()
	}()
	select {
	case <-looked:
	case <-ctx.Done():
	}
}
