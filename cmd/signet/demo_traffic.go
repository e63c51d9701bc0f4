package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// demoWorkers is how many clients call each route at once.
	demoWorkers = 3

	// demoPause is between two calls of one client.
	demoPause = 10 * time.Millisecond

	// demoPatience bounds one call. None takes a hundredth of it.
	demoPatience = 20 * time.Second
)

// A demoTraffic is calls over all routes at once, and what became of them.
type demoTraffic struct {
	mu    sync.Mutex
	calls map[string]*demoTally // by route; under mu
	ended sync.WaitGroup
}

// A demoTally is what became of one route's calls.
type demoTally struct {
	took   []time.Duration
	failed []error
}

func newDemoTraffic(routes []demoRoute) *demoTraffic {
	t := &demoTraffic{calls: map[string]*demoTally{}}
	for _, r := range routes {
		t.calls[r.name] = new(demoTally)
	}
	return t
}

// run lets clients call every route until ctx ends; a call under way then is finished.
func (t *demoTraffic) run(ctx context.Context, url, key string) {
	for route := range t.calls {
		for worker := range demoWorkers {
			t.ended.Go(func() { t.work(ctx, route, url, key, worker) })
		}
	}
}

func (t *demoTraffic) work(ctx context.Context, route, url, key string, worker int) {
	c := newDemoClient(url+"/"+route, key)
	defer c.close()
	patient := context.WithoutCancel(ctx)
	t.count(route, func() error { return c.initialize(patient) })
	pause := time.NewTicker(demoPause)
	defer pause.Stop()
	for n := 0; ; n++ {
		call := fmt.Sprintf("%s-%d-%d", route, worker, n)
		t.count(route, func() error {
			bounded, cancel := context.WithTimeout(patient, demoPatience)
			defer cancel()
			if n%2 == 0 {
				return c.echo(bounded, call)
			}
			return c.events(bounded, call)
		})
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
		if ctx.Err() != nil { // both may be so, and select picks either
			return
		}
	}
}

func (t *demoTraffic) count(route string, call func() error) {
	began := time.Now()
	err := call()
	took := time.Since(began)
	t.mu.Lock()
	defer t.mu.Unlock()
	tally := t.calls[route]
	tally.took = append(tally.took, took)
	if err != nil {
		tally.failed = append(tally.failed, err)
	}
}

// wait returns when every client has had its last answer.
func (t *demoTraffic) wait() { t.ended.Wait() }

// failures are all routes' failed calls.
func (t *demoTraffic) failures() []error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []error
	for _, tally := range t.calls {
		all = append(all, tally.failed...)
	}
	return all
}

// percentile is the time within which a share of the calls was answered.
func (t *demoTally) percentile(share float64) time.Duration {
	if len(t.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t.took))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
