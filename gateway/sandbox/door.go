package sandbox

import (
	"context"
	"sync"
	"time"
)

// A door is where a server's requests come in. It counts them, and lets them wait as it is told to. It is safe
// for concurrent use.
type door struct {
	delay func(n int) time.Duration // how long the nth, from 1, waits; nil: none does
	hang  func(n int) bool          // whether the nth waits until its client leaves; nil: none does

	mu                 sync.Mutex
	came, inside, most int // under mu
}

// enter is the number of a request that came, once it has waited. It reports false when the client left
// meanwhile. leave is due in either case.
func (d *door) enter(ctx context.Context) (n int, ok bool) {
	d.mu.Lock()
	d.came++
	d.inside++
	d.most = max(d.most, d.inside)
	n = d.came
	d.mu.Unlock()
	if d.hang != nil && d.hang(n) {
		<-ctx.Done()
		return n, false
	}
	return n, d.delay == nil || pause(ctx, d.delay(n))
}

// leave ends a request.
func (d *door) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside--
}

// count is how many requests came, and how many of them were inside at once at most.
func (d *door) count() (came, most int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.came, d.most
}
