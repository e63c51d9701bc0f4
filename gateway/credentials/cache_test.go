package credentials

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A script is a Source that does what a test says; n counts the fetches from 1.
type script struct {
	asked atomic.Int64
	fetch func(ctx context.Context, n int64) (Fetched, error)
}

func (s *script) Fetch(ctx context.Context) (Fetched, error) { return s.fetch(ctx, s.asked.Add(1)) }

// living is the nth set, which lives that long.
func living(n int64, life time.Duration) Fetched {
	return Fetched{Credentials: aws.Credentials{
		AccessKeyID: fmt.Sprintf("ASIA%012d", n), SecretAccessKey: "secret", SessionToken: "token",
		CanExpire: true, Expires: time.Now().Add(life),
	}}
}

// slow is a source of sets that live that long, each of which takes its time.
func slow(takes, life time.Duration) *script {
	return &script{fetch: func(ctx context.Context, n int64) (Fetched, error) {
		select {
		case <-time.After(takes):
			return living(n, life), nil
		case <-ctx.Done():
			return Fetched{}, ctx.Err()
		}
	}}
}

func newCache(t *testing.T, s Source, o Options) *Cache {
	t.Helper()
	c := New(s, o)
	t.Cleanup(c.Close)
	return c
}

// get gets, and reports how long that took.
func get(c *Cache) (*Generation, time.Duration, error) {
	began := time.Now()
	g, err := c.Get(context.Background(), began)
	return g, time.Since(began), err
}

func TestGetWaitsForNothingWhileCredentialsAreValid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(3*time.Second, time.Hour)
		c := newCache(t, source, Options{})
		if _, took, err := get(c); err != nil || took != 3*time.Second {
			t.Fatalf("the first: %s, %v", took, err)
		}
		<-time.After(56 * time.Minute)
		for range 100 {
			if g, took, err := get(c); err != nil || took != 0 || g == nil {
				t.Fatalf("in the window: %s, %v", took, err)
			}
			<-time.After(20 * time.Millisecond)
		}
		<-time.After(3 * time.Second)
		if g, _, _ := get(c); source.asked.Load() != 2 || g.Seq != 2 {
			t.Errorf("asked %d times, generation %d", source.asked.Load(), g.Seq)
		}
	})
}

func TestAFailedRefreshIsInvisibleUntilTheCredentialsEnd(t *testing.T) {
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

func TestAHungSourceIsLeftBehind(t *testing.T) {
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

func TestAPanickingSourceIsAnError(t *testing.T) {
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

func TestColdCallersShareOneFetchAndLeaveWhenTheyLike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(5*time.Second, time.Hour)
		c := newCache(t, source, Options{})
		var served, left atomic.Int64
		var callers sync.WaitGroup
		for i := range 64 {
			callers.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				if i < 31 {
					time.AfterFunc(time.Second, cancel)
				}
				defer cancel()
				if _, err := c.Get(ctx, time.Now()); err == nil {
					served.Add(1)
				} else if errors.Is(err, context.Canceled) {
					left.Add(1)
				}
			})
		}
		callers.Wait()
		if source.asked.Load() != 1 || served.Load() != 33 || left.Load() != 31 {
			t.Errorf("asked %d times, %d served, %d left", source.asked.Load(), served.Load(), left.Load())
		}
	})
}

func TestRefusalsOfOneGenerationAreOneRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(time.Second, time.Hour)
		c := newCache(t, source, Options{})
		g, _, _ := get(c)
		var refusals sync.WaitGroup
		for range 100 {
			refusals.Go(func() {
				c.Invalidate(g)
				if next, _, err := get(c); err != nil || next == g {
					t.Errorf("%+v, %v", next, err)
				}
			})
		}
		refusals.Wait()
		if n := source.asked.Load(); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestASourceThatReturnsTheRefusedKeyIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{fetch: func(context.Context, int64) (Fetched, error) {
			return Fetched{Credentials: aws.Credentials{AccessKeyID: "AKIA000000000000", SecretAccessKey: "s"}}, nil
		}}
		c := newCache(t, source, Options{})
		for range 500 { // 10 s of refusals at 50 a second
			g, _, err := get(c)
			if err != nil {
				t.Fatal(err)
			}
			c.Invalidate(g)
			<-time.After(20 * time.Millisecond)
		}
		if n := source.asked.Load(); n > 3 {
			t.Errorf("asked %d times in 10 s", n)
		}
	})
}

func TestAnInvalidatedGenerationDoesNotComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secret := "old"
		source := &script{fetch: func(context.Context, int64) (Fetched, error) {
			read := secret
			<-time.After(time.Second)
			return Fetched{Credentials: aws.Credentials{AccessKeyID: "AKIA000000000000", SecretAccessKey: read}}, nil
		}}
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		secret = "new"
		c.Invalidate(first)
		second, _, err := get(c)
		if err != nil || second.Credentials.SecretAccessKey != "new" || second.Signer == first.Signer {
			t.Errorf("%+v, %v: want the new secret with a signer that has not seen the old", second, err)
		}
		c.Invalidate(first) // a late refusal of the old one
		if g, _, _ := get(c); g != second {
			t.Error("a refusal of an old generation gave up the new one")
		}
	})
}

func TestTheWindowIsAheadOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for life, window := range map[time.Duration][3]time.Duration{
			time.Hour:        {5 * time.Minute, 7*time.Minute + 30*time.Second, 15 * time.Second},
			15 * time.Minute: {225 * time.Second, 338 * time.Second, 15 * time.Second},
			8 * time.Second:  {2 * time.Second, 3 * time.Second, time.Second},
		} {
			c := newCache(t, slow(0, life), Options{})
			g, _, err := get(c)
			if err != nil {
				t.Fatal(err)
			}
			ahead, hard := g.Credentials.Expires.Sub(g.RefreshAt), g.Credentials.Expires.Sub(g.Hard)
			if ahead < window[0] || ahead > window[1] || hard != window[2] {
				t.Errorf("%s: refreshed %s ahead, used until %s before the end; want %v", life, ahead, hard, window)
			}
		}
	})
}

func TestCredentialsThatCannotExpireAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{fetch: func(context.Context, int64) (Fetched, error) {
			return Fetched{Credentials: aws.Credentials{AccessKeyID: "AKIA000000000000", SecretAccessKey: "s"}, Region: "eu-west-1"}, nil
		}}
		c := newCache(t, source, Options{})
		for range 10 {
			if g, _, err := get(c); err != nil || g.Region != "eu-west-1" {
				t.Errorf("%+v, %v", g, err)
			}
			<-time.After(24 * time.Hour)
		}
		if n := source.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestCloseEndsTheFetchUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(slow(time.Hour, time.Hour), Options{})
		failed := make(chan error)
		go func() { _, _, err := get(c); failed <- err }()
		synctest.Wait()
		c.Close()
		if err := <-failed; err == nil {
			t.Error("a call on a closed cache was served")
		}
		if _, _, err := get(c); !errors.Is(err, errClosed) {
			t.Errorf("after it: %v", err)
		}
	})
}

func TestEachRefreshIsObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []Refresh
		source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
			<-time.After(time.Second)
			if n == 1 {
				return Fetched{}, errors.New("SECRET-CANARY")
			}
			return living(n, time.Hour), nil
		}}
		c := newCache(t, source, Options{Observe: func(r Refresh) { seen = append(seen, r) }})
		_, _, err := get(c)
		if err == nil || err.Error() != "the source of the credentials failed" {
			t.Errorf("an error that is none of ours is quoted: %v", err)
		}
		<-time.After(2 * time.Second)
		_, _, _ = get(c)
		synctest.Wait()
		if len(seen) != 2 || seen[0].Err == nil || seen[0].Took != time.Second || seen[1].Err != nil || seen[1].Seq != 1 {
			t.Errorf("%+v", seen)
		}
		s := c.State()
		if s.KeyID != "ASIA…0002" || s.Generation != 1 || s.LastRefresh == nil || s.LastRefresh.Error != "" || s.Expires.IsZero() {
			t.Errorf("%+v", s)
		}
	})
}

func TestGetAllocatesNothing(t *testing.T) {
	c := newCache(t, slow(0, time.Hour), Options{})
	ctx, now := t.Context(), time.Now()
	if _, err := c.Get(ctx, now); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() { _, _ = c.Get(ctx, now) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkGet(b *testing.B) {
	c := New(slow(0, time.Hour), Options{})
	defer c.Close()
	ctx, now := b.Context(), time.Now()
	if _, err := c.Get(ctx, now); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = c.Get(ctx, now)
	}
}

func TestGetIsSafeUnderLoad(t *testing.T) {
	c := newCache(t, slow(0, 3*time.Millisecond), Options{})
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 2000 {
				g, err := c.Get(t.Context(), time.Now())
				if err != nil {
					t.Error(err)
					return
				}
				if g.Seq%7 == 0 {
					c.Invalidate(g)
				}
				_ = c.State()
			}
		})
	}
	workers.Wait()
}

func TestMaskedKeyIDsTellTwoApartAndNoMore(t *testing.T) {
	for id, want := range map[string]string{"AKIAIOSFODNN7EXAMPLE": "AKIA…MPLE", "short": "*****", "": ""} {
		if got := MaskKeyID(id); got != want {
			t.Errorf("%q is %q, want %q", id, got, want)
		}
	}
}
