package credentials

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// calls makes calls at a rate for a while, and tells how each went. It stops early when told false.
func calls(c *Cache, rate int, lasting time.Duration, went func(at, took time.Duration, err error) bool) {
	began := time.Now()
	for at := time.Duration(0); at < lasting; at = time.Since(began) {
		if _, took, err := get(c); !went(at, took, err) {
			return
		}
		<-time.After(time.Second / time.Duration(rate))
	}
}

func TestTwelveHoursOfHourlyCredentialsWaitOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(3*time.Second, time.Hour)
		c := newCache(t, source, Options{})
		var n, waited int
		calls(c, 10, 12*time.Hour, func(at, took time.Duration, err error) bool {
			n++
			if took != 0 {
				waited++
			}
			if err != nil || took != 0 && n > 1 {
				t.Errorf("the call after %s waited %s, %v", at, took, err)
			}
			return err == nil
		})
		if n < 430_000 || waited != 1 {
			t.Errorf("%d of %d calls waited", waited, n)
		}
		if asked := source.asked.Load(); asked < 12 || asked > 14 {
			t.Errorf("asked %d times in twelve hours", asked)
		}
	})
}

// failing is a source of one set that lives that long, and of nothing from then on until it is up again.
func failing(life time.Duration, up *atomic.Bool, why *Error) *script {
	s := &script{}
	s.fetch = func(_ context.Context, n int64) (Fetched, error) {
		s.edited.Store(false)
		if n == 1 || up.Load() {
			return living(n, life), nil
		}
		return Fetched{}, why
	}
	return s
}

func TestPitfall03_TwentyMinutesWithoutSTSAndThenANewLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		source := failing(15*time.Minute, &up, &Error{Reason: "sts_unreachable", Message: "down"})
		c := newCache(t, source, Options{})
		var failed time.Duration
		calls(c, 10, 20*time.Minute, func(at, took time.Duration, err error) bool {
			if took != 0 {
				t.Errorf("the call after %s waited %s", at, took)
			}
			if err != nil && failed == 0 {
				failed = at
			}
			return true
		})
		if failed < 15*time.Minute-15*time.Second || failed > 15*time.Minute-14*time.Second {
			t.Errorf("served for %s, want until 15 s before the end", failed)
		}
		if n := source.asked.Load(); n < 8 || n > 25 {
			t.Errorf("asked %d times in 20 minutes", n)
		}
		// The file is saved now; who watches it says so once it has been left alone for 200 ms.
		up.Store(true)
		saved := time.Now()
		time.AfterFunc(200*time.Millisecond, func() { source.edited.Store(true); c.Recheck() })
		calls(c, 10, time.Minute, func(_, _ time.Duration, err error) bool { return err != nil })
		if after := time.Since(saved); after > time.Second {
			t.Errorf("recovered %s after the login", after)
		}
	})
}

// The control: without a word of the file the pause lasts, as it has grown to between half a minute and one.
func TestPitfall03_ControlOfALoginThatNobodyReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		source := failing(15*time.Minute, &up, &Error{Reason: "sts_unreachable", Message: "down"})
		c := newCache(t, source, Options{})
		asked := int64(0)
		calls(c, 10, 30*time.Minute, func(at, _ time.Duration, _ error) bool {
			before := asked
			asked = source.asked.Load()
			return at < 20*time.Minute || asked == before // until just after one that failed
		})
		up.Store(true)
		saved := time.Now()
		calls(c, 10, 2*time.Minute, func(_, _ time.Duration, err error) bool { return err != nil })
		if after := time.Since(saved); after < 29*time.Second {
			t.Errorf("recovered %s after the login by itself: the test above proves nothing", after)
		}
	})
}

func TestFault_C02_STSThatFailsFor30SecondsIsInvisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		source := failing(15*time.Minute, &up, &Error{Reason: "sts_unreachable", Message: "STS cannot serve now"})
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		<-time.After(time.Until(first.RefreshAt))
		time.AfterFunc(30*time.Second, func() { up.Store(true) })
		calls(c, 100, 40*time.Second, func(at, took time.Duration, err error) bool {
			if err != nil || took != 0 {
				t.Errorf("the call after %s: %s, %v", at, took, err)
			}
			return true
		})
		<-time.After(time.Minute)
		_, _, _ = get(c)
		synctest.Wait()
		if n := source.asked.Load(); n > 1+8 {
			t.Errorf("asked %d times", n)
		}
		if g, _, _ := get(c); g.Seq != 2 {
			t.Errorf("generation %d after the outage", g.Seq)
		}
	})
}

func TestFault_C03_STSThatTakes30SecondsHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(30*time.Second, time.Hour)
		c := newCache(t, source, Options{Wait: time.Minute})
		first, took, err := get(c)
		if err != nil || took != 30*time.Second {
			t.Fatalf("the first: %s, %v", took, err)
		}
		if ahead := first.Hard.Sub(first.RefreshAt); ahead < 4*time.Minute {
			t.Errorf("newer ones are sought %s ahead", ahead)
		}
		<-time.After(time.Until(first.RefreshAt))
		calls(c, 100, 31*time.Second, func(at, took time.Duration, err error) bool {
			if err != nil || took != 0 {
				t.Errorf("the call after %s: %s, %v", at, took, err)
			}
			return true
		})
		if g, _, _ := get(c); g.Seq != 2 || source.asked.Load() != 2 {
			t.Errorf("generation %d, asked %d times", g.Seq, source.asked.Load())
		}
	})
}

func TestFault_C04_ALoopOfCallsAsksOnceForEachPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		denied := &Error{Reason: "no_credentials", Message: "STS refused to assume the role (AccessDenied)"}
		source := &script{fetch: func(context.Context, int64) (Fetched, error) { return Fetched{}, denied }}
		c := newCache(t, source, Options{})
		n := 0
		calls(c, 1000, 30*time.Second, func(_, took time.Duration, err error) bool {
			n++
			var known *Error
			if took != 0 || !errors.As(err, &known) || known.RetryAfter <= 0 {
				t.Fatalf("%s, %v", took, err)
			}
			return true
		})
		// The pauses are 1, 2, 4, 8 and 16 s, half of each by chance.
		if asked := source.asked.Load(); n < 29_000 || asked < 5 || asked > 7 {
			t.Errorf("%d calls asked %d times in 30 s", n, asked)
		}
	})
}

func TestCredentialsOfAProviderThatIsDeadStillServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
			if n == 1 {
				return Fetched{Credentials: aws.Credentials{AccessKeyID: "AKIA000000000000", SecretAccessKey: "s"}}, nil
			}
			return Fetched{}, errors.New("down")
		}}
		c := newCache(t, source, Options{})
		calls(c, 1, 24*time.Hour, func(at, took time.Duration, err error) bool {
			if err != nil || took != 0 {
				t.Errorf("after %s: %s, %v", at, took, err)
			}
			return err == nil
		})
		if n := source.asked.Load(); n != 1 {
			t.Errorf("asked %d times for what has no end", n)
		}
	})
}
