package bulkhead

import "time"

// Why a call is shed.
const (
	QueueFull    = "queue_full"    // as many wait as may
	QueueTimeout = "queue_timeout" // no place became free in time
	Rate         = "rate"          // the rate left nothing for it in time
	CircuitOpen  = "circuit_open"  // the upstream failed too often
	OutOfMemory  = "memory"        // the buffers of all calls together are too large
)

// A Shed says why a call got no place. Nothing of it was sent.
type Shed struct {
	// Reason is one of the constants.
	Reason string

	// Message is what a person reads.
	Message string

	// RetryAfter is when another try may fare better.
	RetryAfter time.Duration
}

// Error is the message.
func (s *Shed) Error() string { return s.Message }
