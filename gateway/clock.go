package gateway

import (
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// tolerated is the skew below which a refusal that does not name the clock is not the clock's. AWS takes
	// five minutes, and the SDKs correct past four.
	tolerated = 4 * time.Minute

	// maxRoundTrip is how old an answer may be whose Date still tells the time.
	maxRoundTrip = 15 * time.Minute
)

// A clock is AWS's, as far as a route has learned it. The zero value is ours.
type clock struct {
	ahead atomic.Int64 // nanoseconds; whole seconds
}

// skew is how far AWS's clock is ahead of ours.
func (k *clock) skew() time.Duration { return time.Duration(k.ahead.Load()) }

func (k *clock) learn(skew time.Duration) { k.ahead.Store(int64(skew)) }

// forget goes back from what was learned to what was known before, unless something else was learned since.
func (k *clock) forget(learned, before time.Duration) {
	k.ahead.CompareAndSwap(int64(learned), int64(before))
}

// measure is how far AWS's clock is ahead of ours by the Date of its answer to a request of ours. An answer
// out of a cache, or one that was long on its way, does not tell.
func measure(response *http.Response, sent, answered time.Time) (skew time.Duration, ok bool) {
	// Without their monotonic part: it stands still while a laptop sleeps.
	sent, answered = sent.Round(0), answered.Round(0)
	theirs, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil || response.Header.Get("Age") != "" || answered.Sub(sent) > maxRoundTrip {
		return 0, false
	}
	return theirs.Sub(answered).Round(time.Second), true
}
