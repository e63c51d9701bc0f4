package bulkhead

import "time"

// A State is what a Bulkhead is doing. Its parts are read one after the other.
type State struct {
	// Calls and Streams are what is taken of either budget.
	Calls, Streams Use

	// Sheds is how many calls and streams were shed since the Bulkhead was made, by reason.
	Sheds map[string]uint64

	// Circuit is closed, open, half_open (the next call tries, or one is trying) or off. OpenFor is
	// how long an open one still lets no call through.
	Circuit string
	OpenFor time.Duration
}

// A Use is what is taken of one budget.
type Use struct {
	// Running is how many are under way, the light one beside the budget included.
	Running int

	// Waiting is how many are in the line, Clients how many clients run or wait.
	Waiting, Clients int
}

// State is what the Bulkhead is doing now.
func (b *Bulkhead) State() State {
	s := State{Sheds: map[string]uint64{}}
	s.Calls = b.calls.use(s.Sheds)
	s.Streams = b.streams.use(s.Sheds)
	s.Circuit, s.OpenFor = b.circuit.Load().state()
	if n := b.refused.Load(); n > 0 {
		s.Sheds[CircuitOpen] = n
	}
	return s
}

// use is what is taken of the lane. Its sheds are added to those given.
func (l *lane) use(sheds map[string]uint64) Use {
	l.mu.Lock()
	defer l.mu.Unlock()
	for reason, n := range l.sheds {
		sheds[reason] += n
	}
	return Use{Running: l.running + l.light, Waiting: l.line.length, Clients: len(l.clients)}
}
