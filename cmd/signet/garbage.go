package main

import (
	"os"
	"runtime/debug"

	"signet/config"
)

const (
	// garbagePercent is how much may be garbage beside what is alive. A call leaves 20 KB and keeps none, so that at
	// Go's own 100 the collector works for a tenth of a call's CPU; ADR 0011 has the figures.
	garbagePercent = 200

	// beside is what the program may hold beside the buffers of calls.
	beside = 128 << 20
)

// leaveGarbage has the collector work less often, and as often as it must once the heap is near what the config's
// memory lets calls hold, twice over. What GOGC or GOMEMLIMIT say goes before.
func leaveGarbage(memory config.Size) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(2*int64(memory) + beside)
	}
}
