package bulkhead

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// excesses are how many places were taken above each limit when it was lowered, less those given back since.
type excesses map[string]int

// check fails if more places are taken above the limit than were.
func (e excesses) check(t *testing.T, limit string, taken, allowed int) {
	t.Helper()
	if taken-allowed > max(e[limit], 0) {
		t.Errorf("%s: %d places of %d are taken", limit, taken, allowed)
	}
	if e != nil {
		e[limit] = min(e[limit], taken-allowed)
	}
}

// lower notes by how much b, at rest, is above the limits that it is about to get.
func (e excesses) lower(b *Bulkhead, limits Limits) {
	clear(e)
	e["calls"] = b.calls.running - limits.Calls
	e["streams"] = b.streams.running - limits.Streams
	for _, l := range []*lane{&b.calls, &b.streams} {
		for name, c := range l.clients {
			e[l.noun+" of "+name] = c.running - limits.PerClient
		}
	}
}

// audit fails if the books of b do not balance, if somebody waits who could go, or if a limit is exceeded
// further than it was. No excesses are nil.
func audit(t *testing.T, b *Bulkhead, over excesses) {
	t.Helper()
	for _, l := range []*lane{&b.calls, &b.streams} {
		l.mu.Lock()
		running, waiting, light := 0, 0, 0
		for name, c := range l.clients {
			running += c.running
			waiting += c.waiting()
			light += c.light.Len()
			if l.budget.perClient > 0 {
				over.check(t, l.noun+" of "+name, c.running, l.budget.perClient)
			}
			if c.running == 0 && c.waiting() == 0 || c.name != name || (c.turn != nil) != (c.waiting() > 0) {
				t.Errorf("%s: client %q is kept with %d running, %d waiting, turn %v", l.noun, c.name, c.running, c.waiting(), c.turn)
			}
		}
		if running != l.running || waiting != l.line.length || light != l.line.light {
			t.Errorf("%s: %d running, %d waiting, %d light by client; %d, %d, %d in all",
				l.noun, running, waiting, light, l.running, l.line.length, l.line.light)
		}
		over.check(t, l.noun, l.running, l.budget.places)
		if l.light > l.extra || l.light < 0 || l.line.length > l.budget.line {
			t.Errorf("%s: %d beside the budget, %d in a line of %d", l.noun, l.light, l.line.length, l.budget.line)
		}
		if w, _ := l.next(); w != nil && l.bucket.after(1) == 0 {
			t.Errorf("%s: a call of %q waits for nothing", l.noun, w.client.name)
		}
		l.mu.Unlock()
	}
}

// empty fails if anybody has a place or waits.
func empty(t *testing.T, b *Bulkhead) {
	t.Helper()
	audit(t, b, nil)
	if s := b.State(); s.Calls != (Use{}) || s.Streams != (Use{}) {
		t.Errorf("not empty: %+v", s)
	}
}

// must is a place that is there at once.
func must(t *testing.T, b *Bulkhead, kind Kind, client string) *Place {
	t.Helper()
	begun := time.Now()
	p, _, err := b.Take(t.Context(), kind, client)
	if err != nil {
		t.Fatalf("client %s got no place: %v", client, err)
	}
	if waited := time.Since(begun); waited != 0 {
		t.Fatalf("client %s waited %s", client, waited)
	}
	return p
}

// pass lets that time pass, and everything happen that is to happen then.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// A taking is a Take that may still wait.
type taking struct {
	done   chan struct{}
	cancel context.CancelFunc
	place  *Place
	wait   Wait
	err    error
}

// begin takes a place beside the test, and returns once that is done or waits. It ends with the test.
func begin(t *testing.T, b *Bulkhead, kind Kind, client string) *taking {
	ctx, cancel := context.WithCancel(t.Context())
	k := &taking{done: make(chan struct{}), cancel: cancel}
	go func() {
		k.place, k.wait, k.err = b.Take(ctx, kind, client)
		close(k.done)
	}()
	synctest.Wait()
	return k
}

// decided reports whether k waits no more.
func (k *taking) decided() bool {
	synctest.Wait()
	select {
	case <-k.done:
		return true
	default:
		return false
	}
}

// shedFor fails unless k was shed for that reason.
func (k *taking) shedFor(t *testing.T, reason string) *Shed {
	t.Helper()
	if !k.decided() {
		t.Fatalf("still waits, want %s", reason)
	}
	shed, ok := errors.AsType[*Shed](k.err)
	if !ok || shed.Reason != reason {
		t.Fatalf("got %v, want %s", k.err, reason)
	}
	return shed
}

func TestTwelveParallelCallsAllRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 64, Queue: 128, QueueWait: 2 * time.Second, PerClient: 32})
		if most, took := together(t, b, 12, 1500*time.Millisecond); most != 12 || took != 1500*time.Millisecond {
			t.Errorf("%d at once, %s in all", most, took)
		}
		empty(t, b)
	})
}

func TestWithFourPlacesExactlyFourRunAtATimeAndTheRestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 4, Queue: 128, QueueWait: 10 * time.Second})
		if most, took := together(t, b, 12, 1500*time.Millisecond); most != 4 || took != 4500*time.Millisecond {
			t.Errorf("%d at once, %s in all", most, took)
		}
		empty(t, b)
	})
}

// together makes n calls of one client at once, and returns how many were under way at the most and how
// long it took. None may fail.
func together(t *testing.T, b *Bulkhead, n int, each time.Duration) (most int, took time.Duration) {
	t.Helper()
	var (
		calls sync.WaitGroup
		mu    sync.Mutex
		now   int
	)
	begun := time.Now()
	for range n {
		calls.Go(func() {
			p, _, err := b.Take(t.Context(), Call, "a")
			if err != nil {
				t.Errorf("a call failed: %v", err)
				return
			}
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-time.After(each)
			mu.Lock()
			now--
			mu.Unlock()
			p.Give()
		})
	}
	calls.Wait()
	return most, time.Since(begun)
}

func TestOpenStreamsStarveNoCallAndCallsNoStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 1, Streams: 4, Queue: 8, QueueWait: time.Second})
		for range 4 {
			must(t, b, Stream, "a")
		}
		must(t, b, Call, "a")
		fifth := begin(t, b, Stream, "a")
		pass(time.Second)
		fifth.shedFor(t, QueueTimeout)
		if s := b.State(); s.Calls.Running != 1 || s.Streams.Running != 4 {
			t.Errorf("%+v", s)
		}
	})
}

func TestStuckCallsLeaveOnePlaceToLightOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 4, Queue: 4, QueueWait: time.Second, PerClient: 4})
		for range 4 {
			must(t, b, Call, "a")
		}
		for i := range 4 {
			begin(t, b, Call, "a")
			begin(t, b, Call, fmt.Sprint("client ", i))
		}
		ping := must(t, b, Light, "a")
		ping.Give()
		ping = must(t, b, Light, "b")
		if s := b.State(); s.Calls.Running != 5 || s.Calls.Waiting != 4 {
			t.Errorf("%+v", s)
		}
		pass(time.Second) // the line is empty now
		second := begin(t, b, Light, "a")
		audit(t, b, nil)
		if second.decided() {
			t.Fatal("two places beside the budget")
		}
		ping.Give()
		if !second.decided() || second.err != nil {
			t.Errorf("the second light call: %v", second.err)
		}
	})
}

func TestALightCallGoesBeforeTheOthersOfItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 1, Queue: 8, QueueWait: time.Second})
		held, beside := must(t, b, Call, "a"), must(t, b, Light, "a")
		call, ping := begin(t, b, Call, "a"), begin(t, b, Light, "a")
		held.Give()
		if !ping.decided() || call.decided() {
			t.Error("the call went first")
		}
		beside.Give()
		if call.decided() {
			t.Error("a call took the place beside the budget")
		}
		ping.place.Give()
		if !call.decided() || call.err != nil {
			t.Errorf("the call: %v", call.err)
		}
	})
}

func TestAPlaceIsGivenBackOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 2, Queue: 4, QueueWait: time.Second})
		one, two := must(t, b, Call, "a"), must(t, b, Call, "a")
		for range 3 {
			one.Give()
		}
		must(t, b, Call, "b")
		third := begin(t, b, Call, "b")
		audit(t, b, nil)
		if third.decided() {
			t.Error("giving a place three times made three")
		}
		two.Give()
		if !third.decided() {
			t.Error("still waits")
		}
	})
}

func TestNoLockIsSharedWithAnotherBulkheadOrBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := Limits{Calls: 1, Streams: 1, Queue: 1, QueueWait: time.Second, Breaker: Breaker{Failures: 1, Open: 1, MaxOpen: 1}}
		b, other := New(limits), New(limits)
		b.calls.mu.Lock()
		b.circuit.Load().mu.Lock()
		must(t, other, Call, "a").Give()
		must(t, other, Stream, "a").Give()
		b.circuit.Load().mu.Unlock()
		must(t, b, Stream, "a").Give()
		b.calls.mu.Unlock()
	})
}
