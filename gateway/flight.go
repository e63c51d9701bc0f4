package gateway

import (
	"context"
	"errors"
	"sync"
)

// Why calls are ended from outside: the cause of their contexts.
var (
	errRetired  = errors.New("the route was replaced or removed")
	errDraining = errors.New("the gateway is shutting down")
)

// A flight is a route's calls under way. Once it has ended no more are let in.
type flight struct {
	// fixed at build
	ctx   context.Context // ends when calls must end
	stop  context.CancelCauseFunc
	empty chan struct{} // closed when it has ended and the last call left

	// guarded
	mu    sync.Mutex
	calls int  // under mu
	ended bool // under mu
}

func (f *flight) init() {
	f.ctx, f.stop = context.WithCancelCause(context.Background())
	f.empty = make(chan struct{})
}

// enter lets one call in, or reports that the flight has ended.
func (f *flight) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return false
	}
	f.calls++
	return true
}

// join lets one more call in beside one that is under way, even if no others are let in any more.
func (f *flight) join() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
}

// leave notes that a call is done.
func (f *flight) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls--
	if f.ended && f.calls == 0 {
		close(f.empty)
	}
}

// count is how many calls are under way.
func (f *flight) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// end lets no more calls in, waits for those under way until ctx ends, and then ends them for the given
// cause. It returns, once all have left, how many were ended. It is called once.
func (f *flight) end(ctx context.Context, cause error) int {
	f.mu.Lock()
	f.ended = true
	if f.calls == 0 {
		close(f.empty)
	}
	f.mu.Unlock()
	select {
	case <-f.empty:
		f.stop(cause)
		return 0
	case <-ctx.Done():
	}
	n := f.count()
	f.stop(cause)
	<-f.empty
	return n
}
