package credentials

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestPitfall02_AFailedRefreshIsInvisibleUntilTheCredentialsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
			if n == 1 {
				return living(n, 15*time.Minute), nil
			}
			return Fetched{}, errors.New("down")
		}}
		c := newCache(t, source, Options{})
		began := time.Now()
		var failed time.Duration
		for time.Since(began) < 20*time.Minute {
			if _, took, err := get(c); err != nil && failed == 0 {
				failed = time.Since(began)
			} else if took != 0 {
				t.Fatalf("a call waited %s after %s", took, time.Since(began))
			}
			<-time.After(100 * time.Millisecond)
		}
		if failed < 15*time.Minute-16*time.Second || failed > 15*time.Minute-14*time.Second {
			t.Errorf("served for %s, want until 15 s before the end", failed)
		}
		if n := source.asked.Load(); n > 25 {
			t.Errorf("asked %d times in 20 minutes of outage", n)
		}
	})
}

func TestAnOutageIsRememberedAndThenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := false
		source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
			if up {
				return living(n, time.Hour), nil
			}
			return Fetched{}, &Error{Reason: "sts_unreachable", Message: "down"}
		}}
		c := newCache(t, source, Options{})
		for range 1000 {
			_, took, err := get(c)
			var known *Error
			if !errors.As(err, &known) || known.Reason != "sts_unreachable" || known.RetryAfter <= 0 || known.RetryAfter > time.Minute || took != 0 {
				t.Fatalf("%s, %v", took, err)
			}
		}
		if n := source.asked.Load(); n != 1 {
			t.Errorf("1,000 calls at once asked %d times", n)
		}
		up = true
		<-time.After(1100 * time.Millisecond)
		if _, _, err := get(c); err != nil {
			t.Errorf("after the pause: %v", err)
		}
	})
}

func TestPitfall04_AHungSourceIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
			if n == 1 {
				<-hang // deaf to its context
			}
			return living(n, time.Hour), nil
		}}
		defer close(hang)
		c := newCache(t, source, Options{})
		if _, took, err := get(c); err == nil || took != 10*time.Second {
			t.Errorf("the first call: %s, %v; want 10 s", took, err)
		}
		<-time.After(36 * time.Second) // past the 45 s that a fetch may take, and the pause after it
		if g, _, err := get(c); err != nil || g.Credentials.AccessKeyID != "ASIA000000000002" {
			t.Errorf("the next try: %+v, %v", g, err)
		}
	})
}

func TestPitfall05_APanickingSourceIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
			if n == 1 {
				panic("SECRET-CANARY")
			}
			return living(n, time.Hour), nil
		}}
		c := newCache(t, source, Options{})
		if _, _, err := get(c); err == nil || err.Error() != "the source of the credentials panicked (string)" {
			t.Errorf("%v", err)
		}
		<-time.After(2 * time.Second)
		if _, _, err := get(c); err != nil {
			t.Errorf("after it: %v", err)
		}
	})
}

func TestAHungFetchEndsAfterItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		source := &script{fetch: func(ctx context.Context, n int64) (Fetched, error) {
			if n == 1 {
				waitFor(ctx, "process_timeout", "the helper")
				<-hang // deaf to its context
			}
			return living(n, time.Hour), nil
		}}
		c := newCache(t, source, Options{Wait: time.Hour})
		_, took, err := get(c)
		var known *Error
		if took != 45*time.Second || !errors.As(err, &known) || known.Reason != "process_timeout" || known.Message != "the helper has not answered for 45s" {
			t.Errorf("%s, %v", took, err)
		}
		<-time.After(time.Second)
		if g, took, err := get(c); err != nil || took != 0 || g.Credentials.AccessKeyID != "ASIA000000000002" {
			t.Errorf("the next try: %s, %v", took, err)
		}
	})
}

func TestACallThatWaitsNoLongerSaysForWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{fetch: func(ctx context.Context, n int64) (Fetched, error) {
			if n == 2 {
				waitFor(ctx, "process_timeout", "the helper")
			}
			<-ctx.Done()
			return Fetched{}, ctx.Err()
		}}
		c := newCache(t, source, Options{Wait: 5 * time.Second, Timeout: 20 * time.Second})
		for _, want := range []string{
			"sts_unreachable: the source of the credentials has not answered for 5s",
			"process_timeout: the helper has not answered for 5s",
		} {
			_, took, err := get(c)
			var known *Error
			if took != 5*time.Second || !errors.As(err, &known) || known.Reason+": "+known.Message != want || known.RetryAfter == 0 {
				t.Errorf("%s, %v, want %s", took, err, want)
			}
			<-time.After(15 * time.Second)
		}
	})
}

func TestASourceThatReturnsNothingUsableIsAskedNoMoreOftenThanOneThatFails(t *testing.T) {
	for want, fetched := range map[string]Fetched{
		"there is no key":                       {},
		"has no session token":                  {Credentials: aws.Credentials{AccessKeyID: "ASIAHALF", SecretAccessKey: "SECRET-CANARY"}},
		"expired already; is this machine's":    {Credentials: aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "SECRET-CANARY", CanExpire: true, Expires: time.Unix(1, 0)}},
		"the source of the credentials: there ": {Credentials: aws.Credentials{AccessKeyID: "AKIA"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			source := &script{fetch: func(context.Context, int64) (Fetched, error) { return fetched, nil }}
			c := newCache(t, source, Options{})
			for range 100 {
				_, _, err := get(c)
				var known *Error
				if !errors.As(err, &known) || known.Reason != "no_credentials" || !strings.Contains(known.Message, want) || strings.Contains(known.Message, "CANARY") {
					t.Fatalf("%v, want %s", err, want)
				}
			}
			if n := source.asked.Load(); n != 1 {
				t.Errorf("%s: asked %d times", want, n)
			}
		})
	}
}

func TestASourceThatLeavesItsGoroutineIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{fetch: func(context.Context, int64) (Fetched, error) {
			runtime.Goexit()
			return Fetched{}, nil
		}}
		if _, took, err := get(newCache(t, source, Options{})); err == nil || took != 0 {
			t.Errorf("%s, %v", took, err)
		}
	})
}

func TestPausesDoubleToAMinuteAndHalfOfThemIsChance(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var b backoff
	for _, pause := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		pause *= time.Second
		e := b.failed(none("down"), now)
		if e.RetryAfter < pause/2 || e.RetryAfter > pause || b.wait(now) != e.RetryAfter {
			t.Errorf("%s after a pause of %s", e.RetryAfter, pause)
		}
	}
	if b.wait(now.Add(time.Minute)) != 0 {
		t.Error("the pause does not end")
	}
	if wait := b.wait(now.Add(-time.Hour)); wait != 0 {
		t.Errorf("with the clock set back the source is left alone for %s", wait)
	}
	if (&backoff{}).wait(now) != 0 {
		t.Error("there is a pause before any failure")
	}
}
