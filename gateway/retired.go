package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"signet/gateway/telemetry"
)

// maxRetired is how many replaced routes may still be held before the next reload waits for some to end.
const maxRetired = 64

// retired are the versions of routes that serve no new call and are still held, for they have calls under
// way. Each ends by itself: when its last call has left, or after its drain.
type retired struct {
	// fixed at build
	log      *slog.Logger
	recorder *telemetry.Recorder
	ctx      context.Context // ends when none of them may run any longer
	stop     context.CancelFunc
	closed   chan struct{} // closed by close

	// guarded
	mu      sync.Mutex
	routes  map[*route]time.Time // and until when their calls may run; under mu
	left    chan struct{}        // closed, and made anew, as one ends; under mu
	cut     int                  // calls ended by stop; under mu
	running sync.WaitGroup
}

func newRetired(log *slog.Logger, recorder *telemetry.Recorder) *retired {
	r := &retired{
		log: log, recorder: recorder,
		closed: make(chan struct{}), routes: map[*route]time.Time{}, left: make(chan struct{}),
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	recorder.Retiring(0) // a series from the start
	return r
}

// add takes in a route that was replaced or removed. Its calls may run for drain.
func (r *retired) add(rt *route, drain time.Duration) {
	r.mu.Lock()
	r.routes[rt] = time.Now().Add(drain)
	r.mu.Unlock()
	r.recorder.Retiring(1)
	r.running.Go(func() {
		ctx, cancel := context.WithTimeout(r.ctx, drain)
		defer cancel()
		n := rt.end(ctx, errRetired)
		if n > 0 {
			r.log.Warn("calls of a replaced route outlived the drain", "route", rt.name, "calls", n)
		}
		r.drop(rt, n)
	})
}

// drop lets go of a route of which n calls were ended before they were done.
func (r *retired) drop(rt *route, n int) {
	r.recorder.Retiring(-1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		r.cut += n
	}
	delete(r.routes, rt)
	close(r.left)
	r.left = make(chan struct{})
}

// room waits until no more than maxRetired are held. It is an error when ctx ends before, or the gateway.
func (r *retired) room(ctx context.Context) error {
	n, left := r.held()
	if n > maxRetired {
		r.log.Info("a reload waits for replaced routes to end", "retiring", n, "most", maxRetired)
	}
	for ; n > maxRetired; n, left = r.held() {
		select {
		case <-left:
		case <-r.closed:
			return errDraining
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	select {
	case <-r.closed:
		return errDraining
	default:
		return nil
	}
}

// held is how many are held, and what is closed once there are fewer.
func (r *retired) held() (n int, left <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.routes), r.left
}

// close lets nobody wait for room any more.
func (r *retired) close() { close(r.closed) }

// end waits for all of them, until ctx ends, and then ends their calls. It returns how many were ended so.
func (r *retired) end(ctx context.Context) int {
	defer context.AfterFunc(ctx, r.stop)()
	r.running.Wait()
	r.stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cut
}

// status is what is held.
func (r *retired) status() RetiringStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := RetiringStatus{Routes: len(r.routes)}
	for rt := range r.routes {
		s.Calls += rt.flight.count()
	}
	return s
}

// versions are what is held, one by one.
func (r *retired) versions() []RetiredStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []RetiredStatus
	for rt, until := range r.routes {
		all = append(all, RetiredStatus{
			Route: rt.name, Since: rt.snapshot, Calls: rt.flight.count(), EndsIn: max(0, time.Until(until).Seconds()),
		})
	}
	slices.SortFunc(all, func(a, b RetiredStatus) int {
		return cmp.Or(strings.Compare(a.Route, b.Route), cmp.Compare(a.Since, b.Since))
	})
	return all
}
