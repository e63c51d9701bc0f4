package bulkhead

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// draw is limits of any kind, tight ones mostly.
func draw(r *rand.Rand) Limits {
	l := Limits{
		Calls: 1 + r.IntN(6), Streams: 1 + r.IntN(3), Queue: r.IntN(10),
		QueueWait: time.Duration(r.IntN(400)) * time.Millisecond, PerClient: r.IntN(4),
	}
	if r.IntN(3) == 0 {
		l.Rate, l.Burst = 1+float64(r.IntN(20)), r.IntN(4)
	}
	if r.IntN(2) == 0 {
		l.Breaker = Breaker{Failures: 1 + r.IntN(3), Open: 50 * time.Millisecond, MaxOpen: 300 * time.Millisecond}
	}
	return l
}

// Whatever happens, in whatever order: the books balance after each step, nobody is let in above the limits
// in force, nobody waits who could go, and in the end all places are there.
func TestNoPlaceIsLostOrMadeByAnySequenceOfEvents(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) { wander(t, rand.New(rand.NewPCG(seed, 5))) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// wander takes 300 random steps, one at a time.
func wander(t *testing.T, r *rand.Rand) {
	b := New(draw(r))
	over := excesses{}
	var waiting []*taking
	var held []*Place
	for range 300 {
		switch n := r.IntN(20); {
		case n < 9:
			waiting = append(waiting, begin(t, b, Kind(r.IntN(3)), string(rune('a'+r.IntN(4)))))
		case n < 14 && len(held) > 0:
			i := r.IntN(len(held))
			switch r.IntN(3) {
			case 0:
				held[i].Answered()
			case 1:
				held[i].Failed()
			}
			held[i].Give()
			held = append(held[:i], held[i+1:]...)
		case n < 16 && len(waiting) > 0:
			waiting[r.IntN(len(waiting))].cancel()
		case n < 18:
			pass(time.Duration(r.IntN(200)) * time.Millisecond)
		case n < 19:
			limits := draw(r)
			over.lower(b, limits)
			b.Adjust(limits)
		}
		waiting, held = settle(t, waiting, held)
		audit(t, b, over)
	}
	for _, k := range waiting {
		k.cancel()
	}
	_, held = settle(t, waiting, held)
	for _, p := range held {
		p.Give()
		p.Give()
	}
	empty(t, b)
}

// settle moves those who got a place from waiting to held, and drops those who got none.
func settle(t *testing.T, waiting []*taking, held []*Place) ([]*taking, []*Place) {
	t.Helper()
	synctest.Wait()
	var still []*taking
	for _, k := range waiting {
		switch {
		case !k.decided():
			still = append(still, k)
		case k.err == nil:
			held = append(held, k.place)
		default:
			if _, shed := errors.AsType[*Shed](k.err); !shed && !errors.Is(k.err, context.Canceled) {
				t.Errorf("neither shed nor cancelled: %v", k.err)
			}
		}
	}
	return still, held
}

// The same with everything at once, for the race detector: clients that leave at any moment, while limits
// change.
func TestNoPlaceLeaksWhenCallsLeaveAtAnyMoment(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			b := New(draw(rand.New(rand.NewPCG(seed, 0))))
			var callers sync.WaitGroup
			for i := range uint64(60) {
				r := rand.New(rand.NewPCG(seed, i+1))
				callers.Go(func() {
					for range 20 {
						impatient(b, r)
					}
				})
			}
			callers.Go(func() {
				r := rand.New(rand.NewPCG(seed, 99))
				for range 100 {
					<-time.After(time.Duration(r.IntN(30)) * time.Millisecond)
					b.Adjust(draw(r))
				}
			})
			callers.Wait()
			empty(t, b)
		})
	}
}

// impatient makes one call that may leave at any moment, also that in which it gets its place.
func impatient(b *Bulkhead, r *rand.Rand) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(8))*10*time.Millisecond)
	defer cancel()
	p, _, err := b.Take(ctx, Kind(r.IntN(3)), string(rune('a'+r.IntN(5))))
	if err != nil {
		<-time.After(time.Millisecond)
		return
	}
	<-time.After(time.Duration(r.IntN(4)) * 10 * time.Millisecond)
	if r.IntN(2) == 0 {
		go p.Give()
	}
	p.Give()
}

func TestAFreePlaceCostsNoMoreThanThePlaceAndItsWordForTheCircuit(t *testing.T) {
	b := New(Limits{Calls: 64, Queue: 64, QueueWait: time.Second, PerClient: 32})
	want := func(limit float64) {
		t.Helper()
		n := testing.AllocsPerRun(1000, func() {
			p, _, err := b.Take(t.Context(), Call, "a")
			if err != nil {
				t.Fatal(err)
			}
			p.Answered()
			p.Give()
		})
		if n > limit {
			t.Errorf("%v allocations, of %v", n, limit)
		}
	}
	want(1)
	b.Adjust(Limits{Calls: 64, Rate: 1e9, Burst: 1e6, Breaker: Breaker{Failures: 5, Open: time.Second}})
	want(2)
}

func BenchmarkTake(b *testing.B) {
	bulkhead := New(Limits{Calls: 1 << 20, PerClient: 1 << 20, Breaker: Breaker{Failures: 5, Open: time.Second}})
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		p, _, err := bulkhead.Take(ctx, Call, "a")
		if err != nil {
			b.Fatal(err)
		}
		p.Answered()
		p.Give()
	}
}
