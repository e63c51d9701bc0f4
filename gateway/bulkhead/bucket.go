package bulkhead

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"
)

// A bucket is what the rate has left. The zero bucket has no limit.
type bucket struct{ limiter *rate.Limiter }

// adjust sets another rate. What is left stays; a rate that is new begins with its burst.
func (b *bucket) adjust(perSecond float64, burst int) {
	burst = max(burst, 1)
	switch {
	case perSecond <= 0:
		b.limiter = nil
	case b.limiter == nil:
		b.limiter = rate.NewLimiter(rate.Limit(perSecond), burst)
	default:
		b.limiter.SetLimit(rate.Limit(perSecond))
		b.limiter.SetBurst(burst)
	}
}

// take takes enough for one call, if there is.
func (b *bucket) take() bool { return b.limiter == nil || b.limiter.Allow() }

// after is how long it takes until there is enough for n calls.
func (b *bucket) after(n int) time.Duration {
	if b.limiter == nil {
		return 0
	}
	short := float64(n) - b.limiter.Tokens()
	if short <= 0 {
		return 0
	}
	seconds := min(short/float64(b.limiter.Limit()), 1e9) // more would overflow a Duration
	return time.Duration(math.Ceil(seconds * float64(time.Second)))
}

// shed says that there is not enough for the nth call from now.
func (b *bucket) shed(n int) *Shed {
	return &Shed{
		Reason: Rate, RetryAfter: b.after(n),
		Message: fmt.Sprintf("the rate of %g calls/s leaves nothing for this call in time", b.limiter.Limit()),
	}
}
