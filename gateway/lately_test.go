package gateway

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestLatelyRemembersTheLastTwentyOutcomes(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var l lately
		var all []bool // bad ones are true
		share := chance.Float64()
		for range chance.IntN(60) {
			bad := chance.Float64() < share
			all = append(all, bad)
			if bad {
				l.badly(&Failure{Code: len(all)})
			} else {
				l.well()
			}
		}
		want := Recent{}
		for i := range all {
			if all[i] {
				want.Last = &Failure{Code: i + 1}
			}
		}
		last := all[max(0, len(all)-remembered):]
		want.Calls = len(last)
		for _, bad := range last {
			if bad {
				want.Bad++
			}
		}
		slices.Reverse(last)
		if want.Run = slices.Index(last, false); want.Run < 0 {
			want.Run = len(last)
		}
		got := l.recent()
		if (got.Last == nil) != (want.Last == nil) || got.Last != nil && *got.Last != *want.Last {
			t.Fatalf("after %v the last is %+v, want %+v", all, got.Last, want.Last)
		}
		if got.Last = want.Last; got != want {
			t.Fatalf("after %v: %+v, want %+v", all, got, want)
		}
	}
}

func TestLatelyLosesNoOutcomeOfCallsThatEndTogether(t *testing.T) {
	var l lately
	var calls sync.WaitGroup
	for i := range remembered {
		calls.Go(func() {
			if i%2 == 0 {
				l.badly(&Failure{})
			} else {
				l.well()
			}
		})
	}
	calls.Wait()
	if got := l.recent(); got.Calls != remembered || got.Bad != remembered/2 {
		t.Errorf("%+v", got)
	}
}

func TestNotingAnAnswerAllocatesNothing(t *testing.T) {
	var h history
	if n := testing.AllocsPerRun(100, func() { h.answer(time.Now()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNotingAnAnswer(b *testing.B) {
	var h history
	b.ReportAllocs()
	at := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			h.answer(at)
		}
	})
}
