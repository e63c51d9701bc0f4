package bulkhead

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// What a circuit is told of a call; nil is that the upstream answered.
var (
	errFailed    = errors.New("the upstream's infrastructure failed")
	errUncounted = errors.New("the call says nothing about the upstream")
)

// A circuit stops calls to an upstream whose infrastructure fails. The breaker counts, and lets one call
// through to try; how long it stays open is kept here, for the breaker's own time is fixed and this one
// doubles.
type circuit struct {
	// fixed at build
	settings Breaker

	// swapped
	tripped atomic.Bool // from opening to closing; set under mu

	// guarded
	mu      sync.Mutex // around every use of breaker, which calls changed meanwhile
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	length  time.Duration // of the last opening; under mu
	until   time.Time     // open until then; under mu
	trial   *trial        // the call that tries; nil: none does; under mu
}

// A trial is the call that a half-open circuit lets through. It may be a long one: after another Open somebody else
// tries as well, but a late word about the first is still heard, as long as nobody else's came.
type trial struct {
	done    func(error)
	opening time.Time // the until it began after
	due     time.Time // somebody else may try
}

func newCircuit(s Breaker) *circuit {
	c := &circuit{settings: s}
	if s.Failures <= 0 {
		return c
	}
	c.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   1,
		Timeout:       1, // has always passed when until has
		ReadyToTrip:   func(n gobreaker.Counts) bool { return int64(n.ConsecutiveFailures) >= int64(s.Failures) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errUncounted) },
		OnStateChange: func(_ string, from, to gobreaker.State) { c.changed(from, to) },
	})
	return c
}

// changed follows the breaker. It is called under mu.
func (c *circuit) changed(from, to gobreaker.State) {
	switch {
	case to == gobreaker.StateClosed:
		c.tripped.Store(false)
	case to == gobreaker.StateOpen:
		next := c.settings.Open
		if from == gobreaker.StateHalfOpen {
			next = min(2*c.length, max(c.settings.MaxOpen, c.settings.Open))
		}
		c.length, c.until = next, time.Now().Add(next)
		c.tripped.Store(true)
	}
}

// refuses is why no call may even wait, or nil.
func (c *circuit) refuses() *Shed {
	if !c.tripped.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait := c.wait(); wait > 0 {
		return c.shed(wait)
	}
	return nil
}

// wait is for how long nobody is let through: the circuit is open, or somebody tries. It is called under mu.
func (c *circuit) wait() time.Duration {
	if wait := time.Until(c.until); wait > 0 || c.trial == nil {
		return wait
	}
	return time.Until(c.trial.due)
}

// enter lets a call through. What becomes of it is told by leave with done, which is nil if nobody counts.
func (c *circuit) enter() (done func(error), _ *Shed) {
	if c.breaker == nil {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait := c.wait(); wait > 0 {
		return nil, c.shed(wait)
	}
	if !c.tripped.Load() {
		done, _ = c.breaker.Allow()
		return done, nil
	}
	if c.trial != nil {
		c.trial.done(errUncounted)
	}
	t := c.try()
	return func(outcome error) { c.tried(t, outcome) }, nil
}

// try begins a trial: the circuit is half open, and nobody else's counts. It is called under mu.
func (c *circuit) try() *trial {
	t := &trial{opening: c.until, due: time.Now().Add(c.settings.Open)}
	t.done, _ = c.breaker.Allow()
	c.trial = t
	return t
}

// tried tells the breaker how a trial went, in the name of whoever tries now. It is called under mu.
func (c *circuit) tried(t *trial, outcome error) {
	if !c.tripped.Load() || c.until != t.opening {
		return // it has been decided without t
	}
	if c.trial != t && errors.Is(outcome, errUncounted) {
		return
	}
	now := c.trial
	if now == nil {
		now = c.try() // who tried after t left without a word
	}
	c.trial = nil
	now.done(outcome)
}

// leave tells how a call went, and reports whether the circuit opened because of it.
func (c *circuit) leave(done func(error), outcome error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.until
	done(outcome)
	return c.until != before
}

// shed says that the circuit is open, and when to come again.
func (c *circuit) shed(retry time.Duration) *Shed {
	return &Shed{
		Reason: CircuitOpen, RetryAfter: retry,
		Message: fmt.Sprintf("the upstream failed %d times in a row; it is tried again in %s",
			c.settings.Failures, retry.Round(time.Millisecond)),
	}
}

// state is a word for what the circuit does, and for how long still it is open.
func (c *circuit) state() (string, time.Duration) {
	if c.breaker == nil {
		return "off", 0
	}
	if !c.tripped.Load() {
		return "closed", 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait := time.Until(c.until); wait > 0 {
		return "open", wait
	}
	return "half_open", 0
}
