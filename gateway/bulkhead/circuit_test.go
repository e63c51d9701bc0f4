package bulkhead

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// usual is a bulkhead with the usual breaker.
func usual() *Bulkhead {
	return New(Limits{
		Calls: 8, Streams: 8, Queue: 8, QueueWait: 10 * time.Second,
		Breaker: Breaker{Failures: 5, Open: 5 * time.Second, MaxOpen: time.Minute},
	})
}

// outcomes makes one call for each letter: F fails, A is answered, L leaves without a word. It returns what
// the circuit was after each: c closed, o open, h half open.
func outcomes(t *testing.T, b *Bulkhead, letters string) string {
	t.Helper()
	var states strings.Builder
	for _, letter := range letters {
		p := must(t, b, Call, "a")
		switch letter {
		case 'F':
			p.Failed()
		case 'A':
			p.Answered()
		}
		p.Give()
		states.WriteString(b.State().Circuit[:1])
	}
	return states.String()
}

// opened fails unless calls are refused until exactly that time has passed, and the next is let in.
func opened(t *testing.T, b *Bulkhead, length time.Duration) {
	t.Helper()
	if s := b.State(); s.Circuit != "open" || s.OpenFor != length {
		t.Fatalf("%+v, want it open for %s", s, length)
	}
	begun, refused := time.Now(), b.State().Sheds[CircuitOpen]
	if shed := begin(t, b, Call, "a").shedFor(t, CircuitOpen); shed.RetryAfter != length {
		t.Errorf("retry after %s, want %s", shed.RetryAfter, length)
	}
	pass(length - 1)
	if shed := begin(t, b, Stream, "a").shedFor(t, CircuitOpen); shed.RetryAfter != 1 {
		t.Errorf("retry after %s, want 1ns", shed.RetryAfter)
	}
	if time.Since(begun) != length-1 || b.State().Sheds[CircuitOpen] != refused+2 {
		t.Errorf("the refusals took %s; %+v", time.Since(begun)-length+1, b.State())
	}
	pass(1)
	if s := b.State(); s.Circuit != "half_open" || s.OpenFor != 0 {
		t.Fatalf("after %s: %+v", length, s)
	}
}

func TestTheCircuitOpensAtTheFifthFailureInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := usual()
		if got := outcomes(t, b, "FFFFAFFFFLF"); got != "cccccccccco" {
			t.Errorf("states %s", got)
		}
		opened(t, b, 5*time.Second)
	})
}

// reliability F20.
func TestAFlappingUpstreamOpensAndClosesTheCircuitExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := usual()
		for range 4 {
			if got := outcomes(t, b, "FFFFF"); got != "cccco" {
				t.Fatalf("five failures: %s", got)
			}
			opened(t, b, 5*time.Second) // not doubled: it had closed
			if got := outcomes(t, b, "A"); got != "c" {
				t.Fatalf("one answer: %s", got)
			}
		}
	})
}

func TestEachFailedTryDoublesTheOpeningUpToTheLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := usual()
		outcomes(t, b, "FFFFF")
		for _, length := range []time.Duration{5, 10, 20, 40, 60, 60, 60} {
			opened(t, b, length*time.Second)
			if got := outcomes(t, b, "F"); got != "o" {
				t.Fatalf("after a failed try: %s", got)
			}
		}
		opened(t, b, time.Minute)
		if got := outcomes(t, b, "AFFFFF"); got != "ccccco" {
			t.Errorf("after an answer: %s", got)
		}
		opened(t, b, 5*time.Second)
	})
}

func TestOneCallAloneTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := usual()
		outcomes(t, b, "FFFFF")
		opened(t, b, 5*time.Second)
		var tries []*taking
		for range 100 {
			if k := begin(t, b, Call, "a"); k.err == nil {
				tries = append(tries, k)
			} else if shed := k.shedFor(t, CircuitOpen); shed.RetryAfter != 5*time.Second {
				t.Fatalf("retry after %s", shed.RetryAfter)
			}
		}
		if len(tries) != 1 {
			t.Fatalf("%d calls tried", len(tries))
		}
		tries[0].place.Give() // its client left: somebody else tries
		next := must(t, b, Light, "b")
		begin(t, b, Call, "a").shedFor(t, CircuitOpen)
		next.Answered()
		if b.State().Circuit != "closed" {
			t.Errorf("%+v", b.State())
		}
		must(t, b, Call, "a")
		next.Failed() // the second word about one place
		if got := outcomes(t, b, "FFFF"); got != "cccc" {
			t.Errorf("it counted: %s", got)
		}
	})
}

// A trial may be a stream that is silent by right, or a tool that takes its minutes.
func TestATrialWithoutAWordKeepsNobodyOutForLong(t *testing.T) {
	for word, want := range map[string]string{"answered": "closed", "failed": "open", "given": "half_open"} {
		synctest.Test(t, func(t *testing.T) {
			b := usual()
			outcomes(t, b, "FFFFF")
			opened(t, b, 5*time.Second)
			silent := must(t, b, Stream, "a")
			pass(2 * time.Second)
			if shed := begin(t, b, Call, "b").shedFor(t, CircuitOpen); shed.RetryAfter != 3*time.Second {
				t.Errorf("retry after %s", shed.RetryAfter)
			}
			pass(3 * time.Second)
			second := must(t, b, Call, "b")
			begin(t, b, Call, "b").shedFor(t, CircuitOpen)
			switch word {
			case "answered":
				silent.Answered()
			case "failed":
				if !silent.Failed() {
					t.Error("a late failure opened nothing")
				}
			}
			silent.Give()
			if s := b.State(); s.Circuit != want {
				t.Errorf("%s: %+v", word, s)
			}
			second.Answered() // counts only where the first had nothing to say
			if s := b.State(); (s.Circuit == "closed") != (word != "failed") {
				t.Errorf("%s, then answered: %+v", word, s)
			}
			second.Give()
			empty(t, b)
		})
	}
}

func TestALateWordIsHeardAlsoWhenNobodyElseTries(t *testing.T) {
	for word, want := range map[string]string{"answered": "closed", "failed": "open"} {
		synctest.Test(t, func(t *testing.T) {
			b := usual()
			outcomes(t, b, "FFFFF")
			opened(t, b, 5*time.Second)
			slow := must(t, b, Call, "a")
			pass(5 * time.Second)
			must(t, b, Call, "b").Give() // its client left
			if word == "answered" {
				slow.Answered()
			} else if !slow.Failed() {
				t.Error("a late failure opened nothing")
			}
			if s := b.State(); s.Circuit != want {
				t.Errorf("%s: %+v", word, s)
			}
		})
	}
}

func TestWhileACallTriesNobodyWaitsForItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := usual()
		outcomes(t, b, "FFFFF")
		opened(t, b, 5*time.Second)
		for range 8 {
			b.calls.sit(seat{b.calls.client("b")})
		}
		try := begin(t, b, Call, "a")
		if try.decided() {
			t.Fatal("a ninth place")
		}
		b.calls.give(seat{b.calls.client("b")})
		if !try.decided() || try.err != nil {
			t.Fatalf("the try: %v", try.err)
		}
		begin(t, b, Call, "a").shedFor(t, CircuitOpen)
	})
}

// A call that passed the door before an opening, and comes to the circuit after it, is no try.
func TestAnOpeningHoldsForWhoeverIsInsideAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := usual()
		outcomes(t, b, "FFFFF")
		pass(time.Second)
		if done, shed := b.circuit.Load().enter(); done != nil || shed == nil || shed.RetryAfter != 4*time.Second {
			t.Errorf("let through, or told to come back too early: %v", shed)
		}
		opened(t, b, 4*time.Second)
	})
}

func TestOnlyTheFirstWordAboutAPlaceCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := usual()
		p := must(t, b, Call, "a")
		for range 10 {
			p.Failed()
		}
		if s := b.State(); s.Circuit != "closed" {
			t.Errorf("one call opened the circuit: %+v", s)
		}
	})
}

func TestCallsFromBeforeAnOpeningCountForNothingAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := usual()
		early, late := must(t, b, Call, "b"), must(t, b, Call, "b")
		outcomes(t, b, "FFFFF")
		if early.Failed() || b.State().OpenFor != 5*time.Second {
			t.Errorf("a failure from before: %+v", b.State())
		}
		pass(5 * time.Second)
		try := must(t, b, Call, "a")
		late.Answered()
		if s := b.State(); s.Circuit != "half_open" {
			t.Errorf("an answer from before: %+v", s)
		}
		if !try.Failed() {
			t.Error("the try failed and opened nothing")
		}
		opened(t, b, 10*time.Second)
	})
}

func TestAnOpeningShedsWhoeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := usual()
		outcomes(t, b, "FFFF")
		held := must(t, b, Call, "a")
		for range 7 {
			must(t, b, Call, "b")
		}
		waiting := []*taking{begin(t, b, Call, "a"), begin(t, b, Call, "c"), begin(t, b, Call, "c")}
		pass(time.Second)
		if !held.Failed() {
			t.Fatal("the fifth failure opened nothing")
		}
		for _, k := range waiting {
			if shed := k.shedFor(t, CircuitOpen); shed.RetryAfter != 5*time.Second || k.wait.Time != time.Second {
				t.Errorf("%+v after %+v", shed, k.wait)
			}
		}
		if s := b.State(); s.Sheds[CircuitOpen] != 3 || s.Calls.Running != 8 || s.Calls.Waiting != 0 {
			t.Errorf("%+v", s)
		}
		audit(t, b, nil)
	})
}

func TestWithoutABreakerNoFailureCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Limits{Calls: 1, Breaker: Breaker{Open: time.Second, MaxOpen: time.Second}})
		if got := outcomes(t, b, strings.Repeat("F", 50)); got != strings.Repeat("o", 50) || b.State().Circuit != "off" {
			t.Errorf("%s, %+v", got, b.State())
		}
		empty(t, b)
	})
}

func TestAnAdjustedBreakerBeginsClosedAndAnEqualOneGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := usual()
		limits := Limits{Calls: 1, Breaker: Breaker{Failures: 5, Open: 5 * time.Second, MaxOpen: time.Minute}}
		old := must(t, b, Call, "b")
		outcomes(t, b, "FFFFF")
		b.Adjust(limits)
		if b.State().Circuit != "open" {
			t.Error("an equal breaker closed")
		}
		limits.Calls, limits.Breaker.Failures = 2, 1
		b.Adjust(limits)
		old.Failed() // it belongs to the former
		if b.State().Circuit != "closed" {
			t.Errorf("%+v", b.State())
		}
		old.Give()
		if got := outcomes(t, b, "F"); got != "o" {
			t.Errorf("the new breaker: %s", got)
		}
	})
}
