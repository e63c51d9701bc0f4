package bulkhead

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhoeverFindsNoRoomIsShedAtOnce(t *testing.T) {
	for _, limits := range []Limits{
		{Calls: 1, Queue: 1, QueueWait: 0},
		{Calls: 1, Queue: 0, QueueWait: time.Second},
		{Calls: 0, Queue: 0, QueueWait: time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := New(limits)
			if limits.Calls > 0 {
				must(t, b, Call, "a")
			}
			k := begin(t, b, Call, "b")
			shed := k.shedFor(t, QueueFull)
			if shed.RetryAfter != limits.QueueWait || k.wait != (Wait{}) || k.place != nil {
				t.Errorf("%+v: retry after %s, %+v", limits, shed.RetryAfter, k.wait)
			}
			if b.State().Calls.Clients != limits.Calls {
				t.Errorf("%+v: who was shed is remembered: %+v", limits, b.State())
			}
		})
	}
}

func TestWhoeverGetsNoPlaceInTimeIsShed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 1, Queue: 4, QueueWait: 2 * time.Second})
		held := must(t, b, Call, "a")
		first, second := begin(t, b, Call, "a"), begin(t, b, Call, "b")
		pass(2*time.Second - 1)
		if first.decided() || second.decided() {
			t.Fatal("shed too early")
		}
		pass(1)
		shed := first.shedFor(t, QueueTimeout)
		second.shedFor(t, QueueTimeout)
		if shed.RetryAfter != 2*time.Second || !strings.Contains(shed.Error(), "1 of 1 calls are under way") {
			t.Errorf("retry after %s: %s", shed.RetryAfter, shed)
		}
		if want := (Wait{Time: 2 * time.Second, Position: 2}); second.wait != want {
			t.Errorf("waited %+v, want %+v", second.wait, want)
		}
		held.Give()
		empty(t, b)
	})
}

func TestAWaitIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 1, Queue: 4, QueueWait: 10 * time.Second})
		held := must(t, b, Call, "a")
		first, second := begin(t, b, Call, "a"), begin(t, b, Call, "a")
		pass(time.Second)
		held.Give()
		pass(time.Second)
		first.place.Give()
		if !second.decided() {
			t.Fatal("still waits")
		}
		if want := (Wait{Time: time.Second, Position: 1}); first.wait != want {
			t.Errorf("the first waited %+v, want %+v", first.wait, want)
		}
		if want := (Wait{Time: 2 * time.Second, Position: 2, Ahead: 1}); second.wait != want {
			t.Errorf("the second waited %+v, want %+v", second.wait, want)
		}
	})
}

func TestWhoeverLeavesFreesItsSpotAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 1, Queue: 3, QueueWait: time.Minute})
		held := must(t, b, Call, "a")
		first, second, third := begin(t, b, Call, "a"), begin(t, b, Call, "b"), begin(t, b, Light, "b")
		for _, k := range []*taking{second, first} {
			k.cancel()
			if !k.decided() || !errors.Is(k.err, context.Canceled) {
				t.Errorf("left with %v", k.err)
			}
			audit(t, b, nil)
		}
		if !third.decided() || b.State().Calls.Waiting != 0 {
			t.Errorf("%+v", b.State())
		}
		third.place.Give()
		held.Give()
		empty(t, b)
	})
}

func TestWhoeverHasLeftTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 1})
		gone, cause := errors.New("gone"), error(nil)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(gone)
		if _, _, cause = b.Take(ctx, Call, "a"); !errors.Is(cause, gone) {
			t.Errorf("got %v", cause)
		}
		empty(t, b)
	})
}

// A place that is given to a call in the moment in which its client leaves goes to the next.
func TestAPlaceGivenToACallThatLeavesIsNotLost(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			b := New(Limits{Calls: 1, Queue: 3, QueueWait: time.Second})
			held := must(t, b, Call, "a")
			leaving, next := begin(t, b, Call, "a"), begin(t, b, Call, "b")
			go leaving.cancel()
			go held.Give()
			if leaving.decided() && leaving.err == nil {
				leaving.place.Give()
			}
			if !next.decided() || next.err != nil {
				t.Fatalf("the place was lost: %v", next.err)
			}
			next.place.Give()
			empty(t, b)
		})
	}
}

func TestTheRateLetsABurstInAndThenOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 64, Streams: 1, Queue: 64, QueueWait: 2 * time.Second, Rate: 4, Burst: 3})
		for range 3 {
			must(t, b, Call, "a").Give()
		}
		must(t, b, Stream, "a") // the rate is for calls
		for i := range 8 {
			k := begin(t, b, Call, "a")
			if k.decided() {
				t.Fatal("more than the burst")
			}
			if i%2 == 0 {
				k.cancel()
				continue
			}
			pass(250 * time.Millisecond)
			if !k.decided() || k.err != nil {
				t.Fatalf("call %d got nothing: %v", i, k.err)
			}
			k.place.Give()
		}
	})
}

func TestAPauseFillsTheBurstAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 64, Rate: 3, Burst: 3})
		pass(time.Hour)
		for range 3 {
			must(t, b, Call, "a").Give()
		}
		shed := begin(t, b, Call, "a").shedFor(t, Rate)
		if shed.RetryAfter.Round(time.Millisecond) != 333*time.Millisecond {
			t.Errorf("retry after %s", shed.RetryAfter)
		}
		empty(t, b)
	})
}

func TestACallThatTheRateCannotServeInTimeIsShedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 64, Queue: 64, QueueWait: 2 * time.Second, Rate: 1})
		must(t, b, Call, "a")
		one, two := begin(t, b, Call, "a"), begin(t, b, Call, "b")
		begin(t, b, Call, "a") // b may have gone before it is its turn
		if shed := begin(t, b, Call, "a").shedFor(t, Rate); shed.RetryAfter.Round(time.Millisecond) != 3*time.Second {
			t.Errorf("retry after %s", shed.RetryAfter)
		}
		pass(2 * time.Second)
		if one.err != nil || two.err != nil {
			t.Errorf("in time: %v, %v", one.err, two.err)
		}
		if s := b.State(); s.Calls.Waiting != 0 || s.Sheds[Rate] != 2 || s.Sheds[QueueTimeout] != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// The timer of the rate may be late: who waits is served all the same, and before whoever comes.
func TestALateTimerLetsNobodyOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 64, Queue: 64, QueueWait: 2 * time.Second, Rate: 1})
		must(t, b, Call, "a")
		first := begin(t, b, Call, "a")
		b.calls.timer.Stop()
		pass(time.Second)
		second := begin(t, b, Call, "b")
		if !first.decided() || second.decided() {
			t.Fatal("the second overtook the first")
		}
		b.calls.timer.Stop()
		pass(2 * time.Second)
		if !second.decided() || second.err != nil {
			t.Errorf("shed although the rate had something left: %v", second.err)
		}
	})
}

func TestTheLastToLeaveStopsTheTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 64, Queue: 64, QueueWait: time.Hour, Rate: 0.001})
		must(t, b, Call, "a").Give()
		k := begin(t, b, Call, "a")
		k.cancel()
		if !k.decided() || b.calls.timer.Stop() {
			t.Error("the timer runs for nobody")
		}
		empty(t, b)
	})
}

// A client that was forgotten twice was two of those to be used again, and two names then shared its places.
func TestClientIsForgottenOnce(t *testing.T) {
	b := New(Limits{Calls: 1})
	l := &b.calls
	c := l.client("a")
	l.forget(c)
	l.forget(c)
	if l.client("b") == l.client("c") {
		t.Error("two names are one client")
	}
}
