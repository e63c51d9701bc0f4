package bulkhead

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A verdict is what the calls of the quiet client met with.
type verdict struct {
	calls, sheds, ahead int
	wait                time.Duration
}

// flood has one client keep 500 calls at once on b, and another make one call a second, eight times.
// Each takes 100 ms. name is what b is told of them.
func flood(t *testing.T, b *Bulkhead, name func(string) string) verdict {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var loud sync.WaitGroup
	for i := range 500 {
		loud.Go(func() {
			<-time.After(time.Duration(i%100) * time.Millisecond)
			for ctx.Err() == nil {
				if p, _, err := b.Take(ctx, Call, name("loud")); err == nil {
					<-time.After(100 * time.Millisecond)
					p.Give()
				} else {
					<-time.After(300 * time.Millisecond)
				}
			}
		})
	}
	var v verdict
	for range 8 {
		<-time.After(time.Second)
		v.calls++
		p, wait, err := b.Take(t.Context(), Call, name("quiet"))
		v.wait, v.ahead = max(v.wait, wait.Time), max(v.ahead, wait.Ahead)
		if err != nil {
			v.sheds++
			continue
		}
		<-time.After(100 * time.Millisecond)
		p.Give()
	}
	audit(t, b, nil)
	stop()
	loud.Wait()
	empty(t, b)
	return v
}

func TestAFloodPutsAtMostOneCallAheadOfAnotherClientAndShedsNone(t *testing.T) {
	for _, limits := range []Limits{
		{Calls: 64, Queue: 128, QueueWait: 2 * time.Second, PerClient: 32},
		{Calls: 64, Queue: 128, QueueWait: 2 * time.Second},
		{Calls: 4, Queue: 16, QueueWait: time.Second},
		{Calls: 1, Queue: 500, QueueWait: 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			v := flood(t, New(limits), func(name string) string { return name })
			if v.ahead > 1 || v.sheds > 0 || v.wait > 200*time.Millisecond {
				t.Errorf("%+v: %+v", limits, v)
			}
			if limits.PerClient == 0 && v.ahead == 0 {
				t.Errorf("%+v: nobody ever waited: %+v", limits, v)
			}
		})
	}
}

// The control: told that all calls are one client's, the line is first come, first served.
func TestWithoutTurnsAFloodPutsHundredsAheadOrShedsTheOther(t *testing.T) {
	for _, limits := range []Limits{
		{Calls: 64, Queue: 128, QueueWait: 2 * time.Second},
		{Calls: 4, Queue: 16, QueueWait: time.Second},
		{Calls: 1, Queue: 500, QueueWait: 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			v := flood(t, New(limits), func(string) string { return "anyone" })
			if v.ahead <= 1 && v.sheds == 0 {
				t.Errorf("%+v: fair all the same: %+v", limits, v)
			}
		})
	}
}

func TestARateIsSharedOutInTurns(t *testing.T) {
	limits := Limits{Calls: 64, Queue: 128, QueueWait: 2 * time.Second, Rate: 3, Burst: 1}
	synctest.Test(t, func(t *testing.T) {
		v := flood(t, New(limits), func(name string) string { return name })
		if v.ahead > 1 || v.sheds > 0 || v.wait > 700*time.Millisecond {
			t.Errorf("%+v", v)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		v := flood(t, New(limits), func(string) string { return "anyone" })
		if v.ahead <= 1 && v.sheds == 0 {
			t.Errorf("the control is fair all the same: %+v", v)
		}
	})
}

// order has calls wait behind a held place, named by client and number, and returns in which order they get
// it.
func order(t *testing.T, b *Bulkhead, held *Place, clients string) []string {
	t.Helper()
	var (
		served  []string
		calls   sync.WaitGroup
		numbers = map[rune]int{}
	)
	for _, client := range clients {
		numbers[client]++
		name := fmt.Sprintf("%c%d", client, numbers[client])
		calls.Go(func() {
			p, _, err := b.Take(t.Context(), Call, string(client))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			served = append(served, name) // one place: nobody else is here
			p.Give()
		})
		synctest.Wait()
	}
	held.Give()
	calls.Wait()
	return served
}

func TestClientsTakeTurnsAndTheCallsOfOneKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 1, Queue: 16, QueueWait: time.Second})
		got := order(t, b, must(t, b, Call, "a"), "aaaabbc")
		if want := []string{"a1", "b1", "c1", "a2", "b2", "a3", "a4"}; !slices.Equal(got, want) {
			t.Errorf("served %v, want %v", got, want)
		}
	})
}

func TestAClientAtItsCapIsPassedOverAndKeepsItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 3, Queue: 16, QueueWait: time.Second, PerClient: 2})
		one, _ := must(t, b, Call, "a"), must(t, b, Call, "a")
		third := begin(t, b, Call, "a")
		other := must(t, b, Call, "b")
		fourth := begin(t, b, Call, "b")
		audit(t, b, nil)
		other.Give()
		if !fourth.decided() || third.decided() {
			t.Error("a's third call took a place above its cap, or kept b's from it")
		}
		one.Give()
		if !third.decided() || third.err != nil {
			t.Errorf("the third: %v", third.err)
		}
		audit(t, b, nil)
	})
}

func TestAClientGivesUpALightCallLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 1, Queue: 2, QueueWait: time.Minute})
		must(t, b, Call, "a")
		must(t, b, Light, "a")
		call, light := begin(t, b, Call, "a"), begin(t, b, Light, "a")
		begin(t, b, Call, "b")
		call.shedFor(t, QueueFull)
		if light.decided() {
			t.Errorf("the light call: %v", light.err)
		}
	})
}

func TestAFullLineMakesRoomForWhoeverHasFewerWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 1, Queue: 4, QueueWait: time.Minute})
		must(t, b, Call, "a")
		var a, other []*taking
		for range 4 {
			a = append(a, begin(t, b, Call, "a"))
		}
		begin(t, b, Call, "a").shedFor(t, QueueFull)
		for range 2 {
			other = append(other, begin(t, b, Call, "b"))
		}
		a[3].shedFor(t, QueueFull)
		if shed := a[2].shedFor(t, QueueFull); shed.RetryAfter != time.Minute {
			t.Errorf("retry after %s", shed.RetryAfter)
		}
		begin(t, b, Call, "b").shedFor(t, QueueFull) // two each
		begin(t, b, Call, "c")
		begin(t, b, Call, "d")
		a[1].shedFor(t, QueueFull)
		other[1].shedFor(t, QueueFull)
		begin(t, b, Call, "e").shedFor(t, QueueFull) // one each
		if s := b.State(); s.Calls.Waiting != 4 || s.Sheds[QueueFull] != 7 {
			t.Errorf("%+v", s)
		}
		audit(t, b, nil)
	})
}
