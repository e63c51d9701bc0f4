package bulkhead

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestALoweredLimitLetsNobodyInUntilEnoughHaveLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := Limits{Calls: 6, Streams: 2, Queue: 8, QueueWait: time.Minute}
		b := New(limits)
		var old []*Place
		for range 6 {
			old = append(old, must(t, b, Call, "a"))
		}
		waiting := begin(t, b, Call, "b")
		limits.Calls = 2
		b.Adjust(limits)
		for i, p := range old[:4] {
			p.Give()
			if waiting.decided() {
				t.Fatalf("let in with %d places of 2 taken", 6-i)
			}
			if n := b.State().Calls.Running; n != 5-i {
				t.Errorf("%d are under way, want %d", n, 5-i)
			}
		}
		old[4].Give()
		if !waiting.decided() || waiting.err != nil || b.State().Calls.Running != 2 {
			t.Errorf("%v, %+v", waiting.err, b.State())
		}
		audit(t, b, nil)
	})
}

func TestARaisedLimitLetsInWhoeverWaits(t *testing.T) {
	for name, raise := range map[string]func(*Limits){
		"calls":      func(l *Limits) { l.Calls = 3 },
		"per_client": func(l *Limits) { l.Calls, l.PerClient = 3, 3 },
		"no cap":     func(l *Limits) { l.Calls, l.PerClient = 3, 0 },
	} {
		synctest.Test(t, func(t *testing.T) {
			limits := Limits{Calls: 1, Queue: 8, QueueWait: time.Minute, PerClient: 3}
			if name != "calls" {
				limits.Calls, limits.PerClient = 9, 1
			}
			b := New(limits)
			must(t, b, Call, "a")
			waiting := []*taking{begin(t, b, Call, "a"), begin(t, b, Call, "a"), begin(t, b, Call, "a")}
			raise(&limits)
			b.Adjust(limits)
			if !waiting[0].decided() || !waiting[1].decided() || waiting[2].decided() {
				t.Errorf("%s: %+v", name, b.State())
			}
			audit(t, b, nil)
		})
	}
}

func TestAStreamsLimitIsAdjustedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := Limits{Streams: 1, Queue: 8, QueueWait: time.Minute}
		b := New(limits)
		must(t, b, Stream, "a")
		second := begin(t, b, Stream, "b")
		limits.Streams = 2
		b.Adjust(limits)
		if !second.decided() || second.err != nil {
			t.Errorf("%+v", b.State())
		}
	})
}

func TestAShortenedLineShedsTheLastOfWhoeverHasMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := Limits{Calls: 1, Queue: 8, QueueWait: time.Minute}
		b := New(limits)
		must(t, b, Call, "a")
		first, second, third := begin(t, b, Call, "a"), begin(t, b, Call, "a"), begin(t, b, Call, "a")
		other := begin(t, b, Call, "b")
		limits.Queue = 2
		b.Adjust(limits)
		third.shedFor(t, QueueFull)
		second.shedFor(t, QueueFull)
		if first.decided() || other.decided() {
			t.Errorf("%+v", b.State())
		}
		audit(t, b, nil)
	})
}

func TestAnAdjustedRateHoldsForWhoeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := Limits{Calls: 64, Queue: 8, QueueWait: time.Minute, Rate: 0.1}
		b := New(limits)
		must(t, b, Call, "a")
		first, second, third := begin(t, b, Call, "a"), begin(t, b, Call, "a"), begin(t, b, Call, "a")
		limits.Rate = 1
		b.Adjust(limits)
		if pass(time.Second); !first.decided() || second.decided() {
			t.Errorf("at one a second: %+v", b.State())
		}
		limits.Rate = 0
		b.Adjust(limits)
		if !second.decided() || !third.decided() {
			t.Errorf("without a rate: %+v", b.State())
		}
		limits.Rate, limits.Burst = 1, 2
		b.Adjust(limits)
		must(t, b, Call, "a")
		must(t, b, Call, "a")
		if begin(t, b, Call, "a").decided() {
			t.Error("a rate that is new lets more than its burst in")
		}
	})
}
