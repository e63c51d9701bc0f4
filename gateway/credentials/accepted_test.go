package credentials

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestNewKeysThatAWSNeverTakesAreAskedForOnceInTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(0, time.Hour)
		c := newCache(t, source, Options{})
		for range 50 * 60 { // a minute of refusals at 50 a second
			g, _, err := get(c)
			if err != nil {
				t.Fatal(err)
			}
			c.Invalidate(g)
			<-time.After(20 * time.Millisecond)
		}
		if n := source.asked.Load(); n < 6 || n > 7 {
			t.Errorf("asked %d times in a minute", n)
		}
	})
}

func TestKeysThatWereTakenBeforeTheyWereRefusedAreReplacedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(0, time.Hour)
		c := newCache(t, source, Options{})
		for range 100 {
			g, _, _ := get(c)
			c.Accepted(g)
			c.Invalidate(g)
		}
		if n := source.asked.Load(); n != 100 {
			t.Errorf("asked %d times for 100 rotations", n)
		}
	})
}

func TestALateWordForWhatWasRefusedIsNoneForWhatReplacedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(0, time.Hour)
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		c.Invalidate(first)
		second, _, _ := get(c)
		c.Accepted(first) // by a call that was under way
		c.Invalidate(second)
		if g, _, _ := get(c); g != second || source.asked.Load() != 2 {
			t.Errorf("generation %d, asked %d times", g.Seq, source.asked.Load())
		}
		c.Accepted(second)
		c.Accepted(first) // later still: it takes nothing back
		c.Invalidate(second)
		if g, _, _ := get(c); g == second || source.asked.Load() != 3 {
			t.Errorf("generation %d, asked %d times", g.Seq, source.asked.Load())
		}
	})
}

func TestWhatFollowsATakenGenerationMayBeRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(0, 8*time.Second)
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		c.Invalidate(first)
		second, _, _ := get(c)
		c.Accepted(second)
		<-time.After(time.Until(second.Hard)) // less than ten seconds after the refusal
		third, _, _ := get(c)
		c.Invalidate(third)
		if g, _, _ := get(c); g == third || source.asked.Load() != 4 {
			t.Errorf("generation %d, asked %d times", g.Seq, source.asked.Load())
		}
	})
}

func TestAcceptedAllocatesNothingAndMayComeAtOnce(t *testing.T) {
	c := newCache(t, slow(0, time.Hour), Options{})
	var calls sync.WaitGroup
	for seq := range uint64(100) {
		calls.Go(func() { c.Accepted(&Generation{Seq: seq}) })
	}
	calls.Wait()
	if got := c.accepted.Load(); got != 99 {
		t.Errorf("the newest that was taken is %d, want 99", got)
	}
	g := &Generation{Seq: 100}
	c.mu.Lock() // a lock would wait for ever
	defer c.mu.Unlock()
	if n := testing.AllocsPerRun(1000, func() { c.Accepted(g) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAPauseIsOverByOurOwnClock(t *testing.T) {
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			source := &script{fetch: func(context.Context, int64) (Fetched, error) { return Fetched{}, errors.New("down") }}
			c := newCache(t, source, Options{})
			for range 10 * 60 { // a minute of calls, 10 a second, to an AWS whose clock is off
				_, _ = c.Get(t.Context(), time.Now().Add(skew))
				<-time.After(100 * time.Millisecond)
			}
			if n := source.asked.Load(); n < 4 || n > 8 {
				t.Errorf("%s: asked %d times in a minute", skew, n)
			}
		})
	}
}

func TestAGenerationTellsWhoseItIs(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	keys := aws.Credentials{AccessKeyID: "AKIA000000000000", SecretAccessKey: "s"}
	for _, test := range []struct {
		fetched Fetched
		account string
	}{
		{Fetched{Credentials: keys, Via: "keys"}, ""},
		{Fetched{Credentials: keys, Via: "role chain", Role: "arn:aws:iam::111122223333:role/r"}, "111122223333"},
		{Fetched{Credentials: aws.Credentials{AccessKeyID: "A", SecretAccessKey: "s", AccountID: "444455556666"}, Role: "arn:aws:iam::111122223333:role/r"}, "444455556666"},
	} {
		g := newGeneration(test.fetched, 1, now, 0)
		if g.Via() != test.fetched.Via || g.Role() != test.fetched.Role || g.Account() != test.account || g.Age(now.Add(time.Minute)) != time.Minute {
			t.Errorf("%q %q %q %s", g.Via(), g.Role(), g.Account(), g.Age(now.Add(time.Minute)))
		}
	}
	one, other := newGeneration(Fetched{Credentials: keys}, 1, now, 0), newGeneration(Fetched{Credentials: keys}, 2, now, 0)
	if !one.Same(other) {
		t.Error("the same keys fetched twice are others")
	}
	for _, change := range []func(*aws.Credentials){
		func(c *aws.Credentials) { c.AccessKeyID += "x" },
		func(c *aws.Credentials) { c.SecretAccessKey += "x" },
		func(c *aws.Credentials) { c.SessionToken += "x" },
	} {
		changed := keys
		change(&changed)
		if one.Same(newGeneration(Fetched{Credentials: changed}, 3, now, 0)) {
			t.Errorf("%+v is no other", changed.AccessKeyID)
		}
	}
}
