package bulkhead

import "time"

// Limits are what a Bulkhead keeps to.
type Limits struct {
	// Calls and Streams are how many of each may be under way at once, the one place for light calls not
	// counted. Zero is none.
	Calls, Streams int

	// Queue is how many calls, and how many streams, may wait; QueueWait is how long. If either is zero
	// nobody waits.
	Queue     int
	QueueWait time.Duration

	// Rate is how many calls may begin in a second. Zero: as many as have a place. Burst is how many may
	// begin at once after a pause; less than one counts as one.
	Rate  float64
	Burst int

	// PerClient is how many calls, and how many streams, one client may have under way in the budget. Zero:
	// as many as there are places.
	PerClient int

	// Breaker is when the circuit opens.
	Breaker Breaker
}

// A Breaker says when a circuit opens and for how long.
type Breaker struct {
	// Failures is how many calls have to fail one after the other. Zero: the circuit never opens.
	Failures int

	// Open is how long the circuit stays open at first. It is doubled, up to MaxOpen, each time that the
	// one call which is let through to try fails as well.
	Open, MaxOpen time.Duration
}
