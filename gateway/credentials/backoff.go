package credentials

import (
	"math/rand/v2"
	"time"
)

const (
	firstPause = time.Second
	lastPause  = time.Minute
)

// A backoff is the pause after failures in a row: one second, doubled to a minute, half of it jittered. The
// zero value has none.
type backoff struct {
	pause time.Duration
	until time.Time
	last  *Error
}

// failed notes a failure and returns it with the time until the next try.
func (b *backoff) failed(e *Error, now time.Time) *Error {
	b.pause = min(max(firstPause, 2*b.pause), lastPause)
	wait := b.pause/2 + rand.N(b.pause/2+1)
	b.until, b.last = now.Round(0).Add(wait), e
	return e.after(wait)
}

// wait is how long the pause still lasts. Zero: it is over. One that lasts longer than it was made for is
// over too: the clock was set back.
func (b *backoff) wait(now time.Time) time.Duration {
	wait := b.until.Sub(now)
	if wait <= 0 || wait > b.pause {
		return 0
	}
	return wait
}
