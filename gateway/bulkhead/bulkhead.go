// Package bulkhead decides how many calls of one route are under way at once, and whose turn is next.
//
// A Bulkhead has two budgets, one for calls and one for standing streams, so that open streams starve no
// call. Who finds its budget taken waits, in a line of bounded length and for a bounded time. The clients
// in the line take turns: whatever one of them sends, another waits behind at most one of its calls. One
// place beside the budget is for light calls alone, so that a route whose tools hang still answers a ping.
// A rate, and a circuit that opens when the upstream fails, are in front of the same line.
//
// Bulkheads share nothing with each other. Limits change in place: versions of a route share one Bulkhead,
// and so no reload lets more through than the limits allow.
package bulkhead

import (
	"context"
	"sync/atomic"
)

// A Kind says which budget a call is counted in.
type Kind int

const (
	// Call is a request that has an end.
	Call Kind = iota
	// Light is a Call that costs the upstream little: it may take the place beside the budget, and goes
	// before the other calls of its client.
	Light
	// Stream is a standing stream. It counts as no call, and the rate does not apply to it.
	Stream
)

// A Bulkhead hands out the places of one route. Make it with New; it is safe for concurrent use.
type Bulkhead struct {
	calls, streams lane
	circuit        atomic.Pointer[circuit]
	refused        atomic.Uint64 // by an open circuit, at the door or after waiting
}

// New makes a Bulkhead.
func New(l Limits) *Bulkhead {
	b := &Bulkhead{}
	b.calls.init("calls", 1)
	b.streams.init("streams", 0)
	b.Adjust(l)
	return b
}

// Adjust sets new limits. Whoever has a place keeps it, and nobody is let in above the new limits, those
// from before included. Whoever waits keeps waiting for as long as it would have, unless the line has become
// too short for it. A circuit whose settings change begins anew, closed.
func (b *Bulkhead) Adjust(l Limits) {
	if c := b.circuit.Load(); c == nil || c.settings != l.Breaker {
		b.circuit.Store(newCircuit(l.Breaker))
	}
	b.calls.adjust(budget{
		places: l.Calls, perClient: l.PerClient, line: l.Queue, wait: l.QueueWait, rate: l.Rate, burst: l.Burst,
	})
	b.streams.adjust(budget{places: l.Streams, perClient: l.PerClient, line: l.Queue, wait: l.QueueWait})
}

// Renew has the circuit begin anew, closed, since the upstream is reached in another way than what failed.
func (b *Bulkhead) Renew() { b.circuit.Store(newCircuit(b.circuit.Load().settings)) }

// Take waits for a place for a call of the named client. The caller gives it back. Without a place the error
// is a *Shed, or the cause of ctx. The Wait is told in either case.
func (b *Bulkhead) Take(ctx context.Context, kind Kind, client string) (*Place, Wait, error) {
	circuit := b.circuit.Load()
	if shed := circuit.refuses(); shed != nil {
		b.refused.Add(1)
		return nil, Wait{}, shed
	}
	l := &b.calls
	if kind == Stream {
		l = &b.streams
	}
	s, wait, err := l.take(ctx, client, kind == Light)
	if err != nil {
		return nil, wait, err
	}
	done, shed := circuit.enter()
	if shed != nil {
		l.give(s)
		b.refused.Add(1)
		return nil, wait, shed
	}
	return &Place{bulkhead: b, lane: l, seat: s, circuit: circuit, done: done}, wait, nil
}

// flush sheds whoever waits: c has opened.
func (b *Bulkhead) flush(c *circuit) {
	why := c.refuses()
	if why == nil || b.circuit.Load() != c {
		return
	}
	for _, l := range []*lane{&b.calls, &b.streams} {
		b.refused.Add(l.flush(why))
	}
}
