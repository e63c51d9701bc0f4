package credentials

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// A flight is one fetch. It belongs to the Cache, not to the call that began it.
type flight struct {
	caller trace.SpanContext // of the call that began it
	stage  stage

	done   chan struct{} // closed when result and err are there
	result *Generation
	err    error

	overtaken bool // what was held was refused since it began; under Cache.mu
	outdated  bool // the files have changed since it began; under Cache.mu
	again     bool // it was made again for that; under Cache.mu
}

// take begins a flight. c.mu is held.
func (c *Cache) take(caller context.Context) *flight {
	f := &flight{done: make(chan struct{}), caller: trace.SpanContextFromContext(caller)}
	if g := c.held.Load(); g != nil {
		f.stage.held = g.Credentials.AccessKeyID
	}
	if c.last.Error != "" {
		f.stage.failed = c.last.At
	}
	if c.refused != nil {
		f.stage.refused.Store(&c.refused.Credentials.AccessKeyID)
	}
	go func() {
		for !c.attempt(f) {
		}
	}()
	return f
}

// attempt asks the source once, and reports whether that ended the flight.
func (c *Cache) attempt(f *flight) (ended bool) {
	timeout := time.Duration(c.timeout.Load())
	ctx, cancel := context.WithTimeout(f.stage.with(c.ctx), timeout-grace(timeout))
	defer cancel()
	ctx, span := c.span(ctx, f.caller)
	began := time.Now()
	fetched, err := c.ask(ctx, f, timeout)
	took := time.Since(began)
	refresh, ended := c.land(f, fetched, err, took)
	endSpan(span, refresh)
	if c.options.Observe != nil && !errors.Is(refresh.Err, errClosed) {
		c.options.Observe(refresh)
	}
	return ended
}

// grace is how long a source whose context has ended may take to say why: a part of the timeout.
func grace(timeout time.Duration) time.Duration { return min(2*time.Second, timeout/10) }

// maxDeaf is how many fetches may be left behind that do not hear the end of their context: one that reads a
// file system which hangs keeps a thread.
const maxDeaf = 3

// ask asks the source, in a goroutine of its own so that one that hangs can be left behind.
func (c *Cache) ask(ctx context.Context, f *flight, timeout time.Duration) (Fetched, error) {
	type answer struct {
		fetched Fetched
		err     error
	}
	if c.asking.Add(1) > maxDeaf+1 {
		c.asking.Add(-1)
		return Fetched{}, f.stage.silent(timeout)
	}
	answers := make(chan answer, 1)
	go func() {
		defer c.asking.Add(-1)
		a := answer{err: none("the source of the credentials gave up")} // by runtime.Goexit
		defer func() {
			if p := recover(); p != nil {
				// The panic's value may hold what the source read.
				a = answer{err: none(fmt.Sprintf("the source of the credentials panicked (%T)", p))}
			}
			answers <- a
		}()
		a.fetched, a.err = c.source.Fetch(ctx)
	}()
	var a answer
	select {
	case a = <-answers:
	case <-ctx.Done():
		timer := time.NewTimer(grace(timeout))
		defer timer.Stop()
		select {
		case a = <-answers:
		case <-timer.C:
			a.err = context.DeadlineExceeded
		}
	}
	var known *Error
	if errors.Is(a.err, context.DeadlineExceeded) && !errors.As(a.err, &known) {
		a.err = f.stage.silent(timeout)
	}
	if a.err == nil {
		a.err = usable(ctx, a.fetched.Credentials, "the source of the credentials")
	}
	return a.fetched, a.err
}

// land ends the flight: what was fetched is held from here on, or the failure is remembered. What the files did
// not say any more by then does not end it, nor what was refused while it was being fetched.
func (c *Cache) land(f *flight, fetched Fetched, err error, took time.Duration) (r Refresh, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.last = LastRefresh{At: now.Round(0), Took: took}
	r.Took = took
	switch {
	case c.ctx.Err() != nil:
		f.err = routeGone()
		r.Err = f.err
	case f.outdated && !f.again: // once: files that change all the time must not keep it from landing
		f.outdated, f.again = false, true
		return r, false
	case err != nil:
		known := asError(err)
		c.last.Error = known.Reason
		f.err = c.backoff.failed(known, now)
		if f.outdated {
			c.backoff = backoff{}
		}
		if c.due.Load() && now.Sub(c.edited) >= farewell && known.Reason != "sts_unreachable" && known.Reason != "process_timeout" {
			c.held.Store(nil)
			c.due.Store(false)
		}
		r.Err = known
	case f.overtaken && same(fetched.Credentials, c.refused.Credentials):
		f.overtaken = false
		return r, false
	default:
		c.seq++
		c.backoff = backoff{}
		c.due.Store(f.outdated)
		c.edited = now
		f.result = newGeneration(fetched, c.seq, now, f.stage.ahead())
		c.held.Store(f.result)
		r.Seq = c.seq
	}
	c.flight = nil
	close(f.done)
	return r, true
}
