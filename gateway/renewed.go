package gateway

import (
	"time"

	"signet/gateway/credentials"
)

// maxSigned is how often a call is signed at most, each time with other keys.
const maxSigned = 3

// rotated reports whether a, which replaced one whose keys AWS refused and whose own it refused as well, is to be sent
// once more: these were replaced too, or ended on their way. Otherwise others are not sought (ADR 0022).
func (c *call) rotated(a *attempt) bool {
	if a.number >= maxSigned || a.resent || a.no.class != staleNo || a.first.no.class != staleNo {
		return false
	}
	cache := c.identity.cache
	if !cache.Overtakes(c.ctx, a.generation) && cache.Ready(time.Now().Add(a.skew)) {
		return false
	}
	a.next, a.lacking = c.replaced(a)
	return a.next != nil
}

// renewed gives up the generation that AWS refused and is what replaced it. Nil: there is nothing else, or,
// with an error, nothing at all.
func (c *call) renewed(a *attempt) (*credentials.Generation, error) {
	cache := c.identity.cache
	cache.Invalidate(a.generation)
	cache.Overtakes(c.ctx, a.generation) // what Invalidate leaves alone the files may not
	return c.replaced(a)
}

// replaced is what replaced the generation of a. Nil: nothing has, or, with an error, there is nothing at all.
func (c *call) replaced(a *attempt) (*credentials.Generation, error) {
	next, err := c.credentials(a.skew)
	if err != nil || next.Same(a.generation) {
		return nil, err
	}
	return next, nil
}

// newer is what replaced the generation that a was signed with, if that has happened.
func (c *call) newer(a *attempt) *credentials.Generation {
	cache, now := c.identity.cache, time.Now().Add(a.skew)
	if !cache.Ready(now) {
		return nil
	}
	next, err := cache.Get(c.ctx, now)
	if err != nil || next.Seq <= a.generation.Seq || next.Same(a.generation) {
		return nil
	}
	return next
}
