package gateway

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// remembered is how many outcomes a lately keeps.
const remembered = 20

// A lately is how the last calls went in one respect: well or badly. Calls note that at the same time and without
// a lock; one that goes well where twenty have gone well costs a load. The zero value knows of none.
type lately struct {
	outcomes atomic.Uint32 // a bit each, the newest the lowest, set if bad, below one more that is set; 0: none
	last     atomic.Pointer[Failure]
}

// A Failure is a call that did not go well.
type Failure struct {
	// At is when it ended.
	At time.Time `json:"at"`

	// Code and Reason are those of the error its client got, and Message is the error's, without the route.
	Code    int    `json:"code"`
	Reason  string `json:"reason"`
	Message string `json:"message"`

	// Outcome is not_sent, rejected or unknown: whether the call may have had an effect.
	Outcome string `json:"outcome,omitempty"`

	// Status is the HTTP status of the upstream. Zero: there was no response.
	Status int `json:"upstream_status,omitempty"`

	// TraceID is the call's trace. Empty: there is none.
	TraceID string `json:"trace_id,omitempty"`
}

// well notes a call that went well.
func (l *lately) well() {
	if l.outcomes.Load() != 1<<remembered {
		l.append(0)
	}
}

// badly notes one that did not.
func (l *lately) badly(f *Failure) {
	l.last.Store(f)
	l.append(1)
}

func (l *lately) append(bit uint32) {
	for {
		before := l.outcomes.Load()
		next := max(before, 1)<<1 | bit
		if next >= 2<<remembered {
			next = next&(1<<remembered-1) | 1<<remembered
		}
		if l.outcomes.CompareAndSwap(before, next) {
			return
		}
	}
}

// Recent is how the last calls went in one respect, twenty at most.
type Recent struct {
	// Calls is how many there were, Bad how many of them went badly, and Run how many of these came last.
	Calls int `json:"calls"`
	Bad   int `json:"bad"`
	Run   int `json:"run"`

	// Last is the last that went badly, however long ago. Nil: none did.
	Last *Failure `json:"last,omitempty"`
}

// recent is what l remembers.
func (l *lately) recent() Recent {
	outcomes, last := l.outcomes.Load(), l.last.Load()
	if outcomes == 0 {
		return Recent{}
	}
	n := bits.Len32(outcomes) - 1
	return Recent{
		Calls: n, Bad: bits.OnesCount32(outcomes) - 1, Run: min(n, bits.TrailingZeros32(^outcomes)), Last: last,
	}
}
