package bulkhead

import (
	"sync/atomic"
	"time"
)

// A Place is the right to have one call under way.
type Place struct {
	bulkhead *Bulkhead
	lane     *lane
	seat     seat
	circuit  *circuit
	done     func(error) // tells the circuit how it went, once; nil: there is nothing to tell
	told     atomic.Bool
	given    atomic.Bool
}

// A Wait is what a call waited.
type Wait struct {
	// Time is how long, zero if not at all.
	Time time.Duration

	// Position is how many waited when the call came, itself included. Zero: it did not wait.
	Position int

	// Ahead is how many were let in while it waited.
	Ahead int
}

// Answered tells the circuit that the upstream answered, whatever it said: JSON-RPC errors, 4xx and 429 are
// answers. It is told as soon as that is known, for while a circuit tries, everybody waits for this word.
// Only the first word about a place counts.
func (p *Place) Answered() { p.tell(nil) }

// Failed tells the circuit that the upstream's infrastructure failed: it could not be reached, was silent,
// broke the connection, or its gateway said 5xx. It reports whether the circuit opened because of it, in
// which case all who waited have been shed.
func (p *Place) Failed() bool {
	if !p.tell(errFailed) {
		return false
	}
	p.bulkhead.flush(p.circuit)
	return true
}

// Give gives the place back. All but the first call do nothing. A call about which nothing was said, since
// its client left or it failed on our side, does not count for the circuit.
func (p *Place) Give() {
	p.tell(errUncounted)
	if p.given.CompareAndSwap(false, true) {
		p.lane.give(p.seat)
	}
}

// tell reports whether the circuit opened because of it.
func (p *Place) tell(outcome error) bool {
	if p.done == nil || !p.told.CompareAndSwap(false, true) {
		return false
	}
	return p.circuit.leave(p.done, outcome)
}
