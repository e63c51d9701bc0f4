package bulkhead

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A lane hands out the places of one budget. After each change everybody who then may go is let in, so that
// whoever comes and finds a place free overtakes nobody.
type lane struct {
	// fixed at build
	noun  string // calls or streams
	extra int    // places beside the budget, for light calls

	// guarded
	mu       sync.Mutex
	budget   budget             // under mu
	running  int                // places of the budget that are taken; under mu
	light    int                // places beside it that are taken; under mu
	admitted uint64             // how many ever got a place; under mu
	clients  map[string]*client // who has a place of the budget or waits; under mu
	idle     []*client          // forgotten ones, to be used again; under mu
	line     line               // under mu
	bucket   bucket             // under mu
	timer    *time.Timer        // lets in who waits for the rate; under mu
	sheds    map[string]uint64  // by reason; under mu
}

// A budget is what a lane keeps to.
type budget struct {
	places, perClient, line int
	wait                    time.Duration
	rate                    float64
	burst                   int
}

// A seat is one place of a lane. One beside the budget is nobody's.
type seat struct{ client *client }

func (l *lane) init(noun string, extra int) {
	l.noun, l.extra = noun, extra
	l.clients, l.sheds = map[string]*client{}, map[string]uint64{}
}

// take waits for a seat. The error is a *Shed or the cause of ctx.
func (l *lane) take(ctx context.Context, name string, light bool) (seat, Wait, error) {
	if ctx.Err() != nil {
		return seat{}, Wait{}, context.Cause(ctx)
	}
	l.mu.Lock()
	s, w, shed := l.enter(name, light)
	limit := l.budget.wait
	l.mu.Unlock()
	switch {
	case shed != nil:
		return seat{}, Wait{}, shed
	case w == nil:
		return s, Wait{}, nil
	}
	begun := time.Now()
	s, err := l.await(ctx, w, limit)
	return s, Wait{Time: time.Since(begun), Position: w.position, Ahead: int(w.ahead)}, err
}

// enter gives whoever comes a seat, or a spot in the line, or neither. It is called under mu.
func (l *lane) enter(name string, light bool) (seat, *waiter, *Shed) {
	l.admit() // the rate may allow more by now than when the timer was set
	c := l.client(name)
	defer l.forget(c)
	if s, free := l.free(c, light); free && l.bucket.take() {
		l.sit(s)
		return s, nil, nil
	}
	if shed := l.crowded(c); shed != nil {
		l.sheds[shed.Reason]++
		return seat{}, nil, shed
	}
	w := &waiter{
		client: c, light: light, position: l.line.length + 1, ahead: l.admitted, decided: make(chan struct{}),
	}
	l.line.join(w)
	l.admit() // sets the timer if it is for the rate that w waits
	return seat{}, w, nil
}

// await waits until w is decided, for as long as limit and ctx allow.
func (l *lane) await(ctx context.Context, w *waiter, limit time.Duration) (seat, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-w.decided:
	case <-timer.C:
		l.expire(w, limit)
	case <-ctx.Done():
		l.abandon(w)
		return seat{}, context.Cause(ctx)
	}
	if w.shed != nil {
		return seat{}, w.shed
	}
	return w.seat, nil
}

// expire sheds w, unless it was decided in the meantime.
func (l *lane) expire(w *waiter, limit time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.admit() // the rate may have something left since this very moment
	if w.spot == nil {
		return
	}
	if _, free := l.free(w.client, w.light); free {
		l.shed(w, l.bucket.shed(1))
		return
	}
	l.shed(w, &Shed{
		Reason: QueueTimeout, RetryAfter: limit,
		Message: fmt.Sprintf("no place became free in %s: %d of %d %s are under way",
			limit, l.running, l.budget.places, l.noun),
	})
}

// abandon takes w out, or gives back the seat that it got in the meantime.
func (l *lane) abandon(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case w.spot != nil:
		w.ahead = l.admitted - w.ahead
		l.line.leave(w)
		l.forget(w.client)
		l.admit() // stops the timer if w was the last
	case w.shed == nil:
		l.rise(w.seat)
	}
}

// give gives a seat back.
func (l *lane) give(s seat) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rise(s)
}

// flush sheds everybody in the line, and returns how many that were.
func (l *lane) flush(why *Shed) (n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for ; l.line.length > 0; n++ {
		l.dismiss(l.line.turns.Front().Value.(*client).first(), why)
	}
	l.admit() // stops the timer
	return n
}

// adjust sets another budget, and sheds whoever has no room in the line any more.
func (l *lane) adjust(b budget) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.budget = b
	l.bucket.adjust(b.rate, b.burst)
	l.admit()
	for l.line.length > b.line {
		l.shed(l.line.longest().last(), l.full())
	}
}
