package main

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"signet/gateway"
)

// maxTrouble bounds what is told of a collector's words.
const maxTrouble = 300

// An export counts how one kind of telemetry is sent, wherever that is.
type export struct {
	// fixed at build
	signal string

	// as it goes
	exported, full, failed atomic.Uint64

	// swapped
	goal atomic.Pointer[exportGoal]
	last atomic.Pointer[exportFailure] // nil: there was none
}

// An exportGoal is where something is sent. Without a name that is nowhere.
type exportGoal struct {
	to      string
	waiting *atomic.Int64 // nil: nothing waits
	limit   int
}

type exportFailure struct {
	at  time.Time
	why string
}

func newExport(signal string) *export {
	e := &export{signal: signal}
	e.goTo("", nil, 0)
	return e
}

// goTo notes where it is sent from now on, and what waits for it.
func (e *export) goTo(to string, waiting *atomic.Int64, limit int) {
	e.goal.Store(&exportGoal{to, waiting, limit})
}

// admit reports whether one more may wait, and counts it.
func (e *export) admit(waiting *atomic.Int64, limit int) bool {
	if waiting.Add(1) <= int64(limit) {
		return true
	}
	waiting.Add(-1)
	e.full.Add(1)
	return false
}

// ended notes that n were sent, or why not.
func (e *export) ended(n int, err error) {
	if err == nil {
		e.exported.Add(uint64(n))
		return
	}
	e.failed.Add(uint64(n))
	e.last.Store(&exportFailure{time.Now().Round(0), oneLine(err.Error())})
}

// status is how it fares.
func (e *export) status() gateway.ExportStatus {
	goal, last := e.goal.Load(), e.last.Load()
	s := gateway.ExportStatus{
		Signal: e.signal, To: goal.to, Queue: goal.limit,
		Exported: e.exported.Load(), QueueFull: e.full.Load(), Failed: e.failed.Load(),
	}
	if goal.waiting != nil {
		s.Queued = int(goal.waiting.Load())
	}
	if last != nil {
		s.LastError, s.LastErrorAt = last.why, last.at
	}
	return s
}

// A trouble tells that a collector does not take what it is sent: at once, and then at most once in a minute, for
// it is the same each few seconds.
type trouble struct {
	// fixed at build
	log *slog.Logger

	// guarded
	mu     sync.Mutex
	next   time.Time // under mu
	untold int       // under mu
}

// tell logs an error of the SDK's, or counts it.
func (t *trouble) tell(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if now.Before(t.next) {
		t.untold++
		return
	}
	pairs := []any{"err", oneLine(err.Error())}
	if t.untold > 0 {
		pairs = append(pairs, "untold", t.untold)
	}
	t.next, t.untold = now.Add(time.Minute), 0
	t.log.Warn("telemetry is not taken; calls are not held up", pairs...)
}

// oneLine is a text that others wrote, cut short.
func oneLine(s string) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s[:min(len(s), 4*maxTrouble)]), " "), "")
	if len(s) > maxTrouble {
		s = strings.ToValidUTF8(s[:maxTrouble], "") + "…"
	}
	return s
}
