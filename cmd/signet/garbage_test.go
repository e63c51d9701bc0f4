package main

import (
	"runtime/debug"
	"testing"
)

func TestGarbageIsLeftUnlessTheEnvironmentSaysOtherwise(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
	for _, tt := range []struct {
		gogc, gomemlimit string
		percent          int
		limit            int64
	}{
		{"", "", garbagePercent, 2*(256<<20) + beside},
		{"50", "", 100, 2*(256<<20) + beside},
		{"", "1GiB", garbagePercent, limit},
	} {
		debug.SetGCPercent(100)
		debug.SetMemoryLimit(limit)
		t.Setenv("GOGC", tt.gogc)
		t.Setenv("GOMEMLIMIT", tt.gomemlimit)
		leaveGarbage(256 << 20)
		if got := debug.SetGCPercent(100); got != tt.percent {
			t.Errorf("GOGC=%q: %d %%, want %d", tt.gogc, got, tt.percent)
		}
		if got := debug.SetMemoryLimit(-1); got != tt.limit {
			t.Errorf("GOMEMLIMIT=%q: %d, want %d", tt.gomemlimit, got, tt.limit)
		}
	}
}
