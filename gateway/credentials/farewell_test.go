package credentials

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestKeysThatWereTakenOutServeForAMinute(t *testing.T) {
	for reason, gone := range map[string]bool{"no_profile": true, "no_credentials": true, "sso_expired": true, "sts_unreachable": false, "process_timeout": false} {
		synctest.Test(t, func(t *testing.T) {
			source := &script{}
			source.fetch = func(_ context.Context, n int64) (Fetched, error) {
				source.edited.Store(false)
				if n == 1 {
					return Fetched{Credentials: aws.Credentials{AccessKeyID: "AKIA000000000000", SecretAccessKey: "s"}}, nil
				}
				return Fetched{}, &Error{Reason: reason, Message: "it is not there any more"}
			}
			c := newCache(t, source, Options{})
			_, _, _ = get(c)
			source.edited.Store(true)
			c.Recheck()
			var ended time.Duration
			calls(c, 10, 5*time.Minute, func(at, _ time.Duration, err error) bool {
				ended = at
				return err == nil
			})
			if dropped := ended < 4*time.Minute; dropped != gone || gone && (ended < farewell || ended > 2*farewell+time.Second) {
				t.Errorf("%s: the keys served for %s", reason, ended)
			}
		})
	}
}

func TestSourcesThatHearNothingAreNotAskedWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
			<-hang // deaf to its context, as a file system is
			return living(n, time.Hour), nil
		}}
		c := newCache(t, source, Options{})
		calls(c, 1, time.Hour, func(_, _ time.Duration, err error) bool {
			var known *Error
			if !errors.As(err, &known) || known.Reason != "sts_unreachable" {
				t.Errorf("%v", err)
			}
			return err != nil
		})
		if n := source.asked.Load(); n != maxDeaf+1 {
			t.Errorf("%d fetches hang", n)
		}
		close(hang)
		synctest.Wait()
		<-time.After(2 * time.Minute)
		if _, _, err := get(c); err != nil {
			t.Errorf("once it hears again: %v", err)
		}
	})
}

func TestARefusalThatOtherCredentialsDoNotMendLeadsToNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(0, time.Hour)
		c := newCache(t, source, Options{})
		// One tool is refused whatever signs it, at 10 calls a second beside others that AWS takes.
		for range 600 {
			first, _, _ := get(c)
			c.Accepted(first)
			c.Invalidate(first)
			second, _, err := get(c)
			if err != nil {
				t.Fatal(err)
			}
			if second != first {
				c.InVain(second)
			}
			<-time.After(100 * time.Millisecond)
		}
		if n := source.asked.Load(); n < 6 || n > 8 {
			t.Errorf("asked %d times in a minute", n)
		}
	})
}

func TestWhatNeverLivesByTheCallersClockIsFetchedOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(0, time.Hour)
		c := newCache(t, source, Options{})
		for range 1000 {
			if _, err := c.Get(t.Context(), time.Now().Add(25*time.Hour)); err != nil {
				t.Fatal(err)
			}
			<-time.After(10 * time.Millisecond)
		}
		if n := source.asked.Load(); n < 9 || n > 11 {
			t.Errorf("asked %d times in ten seconds", n)
		}
	})
}

func TestBoundsThatChangeKeepTheCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(3*time.Second, time.Hour)
		c := newCache(t, source, Options{Wait: 10 * time.Second})
		first, _, _ := get(c)
		c.Bound(5*time.Second, time.Second)
		if g, took, err := get(c); g != first || took != 0 || err != nil {
			t.Errorf("%+v after %s, %v", g, took, err)
		}
		c.Invalidate(first)
		if _, took, err := get(c); err == nil || took != time.Second {
			t.Errorf("a call with nothing to sign with waited %s, %v", took, err)
		}
	})
}

func TestATokenThatAnotherRouteRefreshedEndsThePauseOfOneThatHasNone(t *testing.T) {
	r := newReading(newLink().options.Home.parsed.profiles["none"].shared, nil)
	h, path := NewHome(), t.TempDir()+"/token"
	save(t, path, "old")
	r.file(path, []byte("old"))
	save(t, path, "refreshed")
	h.wrote(path, []byte("refreshed"))
	if r.differs(r, h, true) || !r.differs(r, h, false) {
		t.Error("it is news to whoever holds nothing, and to nobody else")
	}
}
