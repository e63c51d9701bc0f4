package credentials

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// A flight is one fetch. It belongs to the Cache, not to the call that began it.
type flight struct {
	done   chan struct{} // closed when result and err are there
	result *Generation
	err    error
}

// take begins a flight. Its span is linked to the call that began it, and is nobody's child: the other
// calls wait for it as well. c.mu is held.
func (c *Cache) take(caller context.Context) *flight {
	f := &flight{done: make(chan struct{})}
	ctx, cancel := context.WithTimeoutCause(c.ctx, c.options.Timeout-c.grace(), errTimeout)
	var span trace.Span
	if c.options.Tracer != nil {
		ctx, span = c.options.Tracer.Start(ctx, "signet.credentials.fetch", trace.WithNewRoot(),
			trace.WithLinks(trace.LinkFromContext(caller)))
	}
	go func() {
		defer cancel()
		began := time.Now()
		fetched, err := c.ask(ctx)
		refresh := c.land(f, fetched, err, time.Since(began))
		if span != nil {
			if err != nil {
				span.SetStatus(codes.Error, f.err.Error())
			}
			span.End()
		}
		if c.options.Observe != nil {
			c.options.Observe(refresh)
		}
	}()
	return f
}

// errTimeout is the cause of a fetch that took longer than Options.Timeout.
var errTimeout = errors.New("the source did not answer in time")

// grace is how long a source whose context has ended may take to say why: a part of Options.Timeout.
func (c *Cache) grace() time.Duration { return min(2*time.Second, c.options.Timeout/10) }

// ask asks the source, in a goroutine of its own so that one that hangs can be left behind.
func (c *Cache) ask(ctx context.Context) (Fetched, error) {
	type answer struct {
		fetched Fetched
		err     error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				// The panic's value may hold what the source read.
				a = answer{err: &Error{Reason: "process_failed", Message: fmt.Sprintf("the source of the credentials panicked (%T)", p)}}
			}
			answers <- a
		}()
		a.fetched, a.err = c.source.Fetch(ctx)
	}()
	select {
	case a := <-answers:
		return a.fetched, a.err
	case <-ctx.Done():
	}
	timer := time.NewTimer(c.grace())
	defer timer.Stop()
	select {
	case a := <-answers:
		return a.fetched, a.err
	case <-timer.C:
		return Fetched{}, context.Cause(ctx)
	}
}

// land ends the flight: what was fetched is held from here on, or the failure is remembered.
func (c *Cache) land(f *flight, fetched Fetched, err error, took time.Duration) Refresh {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight = nil
	c.last = LastRefresh{At: time.Now().Round(0), Took: took}
	refresh := Refresh{Took: took}
	if err == nil && c.ctx.Err() != nil {
		err = errClosed
	}
	if err != nil {
		known := asError(err)
		f.err = c.backoff.failed(known, time.Now())
		c.last.Error = known.Reason
		refresh.Err = known
	} else {
		c.backoff = backoff{}
		f.result = c.publish(fetched)
		refresh.Seq = f.result.Seq
	}
	close(f.done)
	return refresh
}
