package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

func TestTrafficCountsEveryCallAndFailure(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	traffic := newDemoTraffic([]demoRoute{{name: "docs"}, {name: "data"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // each client calls once, and its begin counts too
	traffic.run(ctx, s.URL, "k")
	traffic.wait()
	if got := len(traffic.calls["docs"].took); got != 2*demoWorkers {
		t.Errorf("%d calls counted, want %d", got, 2*demoWorkers)
	}
	if got := len(traffic.failures()); got != 4*demoWorkers {
		t.Errorf("%d failures counted, want %d", got, 4*demoWorkers)
	}
}

func TestPercentileIsTheShareOfCallsWithinIt(t *testing.T) {
	tally := new(demoTally)
	if tally.percentile(0.99) != 0 {
		t.Error("no calls, yet a percentile")
	}
	tally.took = slices.Repeat([]time.Duration{time.Millisecond}, 100)
	tally.took[17] = time.Minute
	if got := tally.percentile(0.50); got != time.Millisecond {
		t.Errorf("p50 %v", got)
	}
	if got := tally.percentile(0.99); got != time.Minute {
		t.Errorf("p99 %v, want the slowest of a hundred", got)
	}
}
