package credentials

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPitfall01_GetWaitsForNothingWhileCredentialsAreValid(t *testing.T) {
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

func TestCloseReleasesWhoeverWaitsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := make(chan struct{})
		observed := 0
		source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
			<-deaf
			return living(n, time.Hour), nil
		}}
		c := New(source, Options{Observe: func(Refresh) { observed++ }})
		var took time.Duration
		var err error
		left := make(chan struct{})
		go func() { _, took, err = get(c); close(left) }()
		synctest.Wait()
		c.Close()
		<-left
		if took != 0 || !errors.Is(err, errClosed) {
			t.Errorf("%s, %v", took, err)
		}
		close(deaf) // what lands now comes too late
		synctest.Wait()
		if _, _, err := get(c); !errors.Is(err, errClosed) || c.Ready(time.Now()) || observed != 0 {
			t.Errorf("a fetch that landed after the end: %v, observed %d times", err, observed)
		}
	})
}

func TestFault_C13_CredentialsThatEndedDuringASleepAreNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(time.Second, time.Hour)
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		<-time.After(2 * time.Second)
		// The wall clock after eight hours in which the other one stood still.
		awake := time.Now().Round(0).Add(8 * time.Hour)
		if g, err := c.Get(context.Background(), awake); err != nil || g == first {
			t.Errorf("%+v, %v", g, err)
		}
		for _, at := range []time.Time{first.Obtained, first.RefreshAt, first.Hard} {
			if strings.Contains(at.String(), "m=") {
				t.Errorf("%s has a monotonic part", at)
			}
		}
	})
}

func TestGetAllocatesNothingDuringAnOutage(t *testing.T) {
	ended := make(chan Refresh, 1)
	source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
		if n == 1 {
			return living(n, time.Hour), nil
		}
		return Fetched{}, errors.New("down")
	}}
	c := newCache(t, source, Options{Observe: func(r Refresh) { ended <- r }})
	ctx := t.Context()
	g, err := c.Get(ctx, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	<-ended
	c.mu.Lock()
	c.backoff = backoff{pause: time.Minute, until: time.Now().Add(time.Minute), last: none("down")}
	c.mu.Unlock()
	if n := testing.AllocsPerRun(1000, func() { _, _ = c.Get(ctx, g.RefreshAt) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := source.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestACallerThatLooksTooEarlyTakesWhatLanded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(time.Second, time.Hour)
		c := newCache(t, source, Options{})
		held, _, _ := get(c)
		// As a caller does that found nothing just before it landed.
		g, err := c.await(context.Background(), time.Now())
		if g != held || err != nil || source.asked.Load() != 1 {
			t.Errorf("%+v, %v, asked %d times", g, err, source.asked.Load())
		}
		// And one that found it due before the next one landed.
		c.held.Store(&Generation{Credentials: held.Credentials})
		c.renew(context.Background(), held)
		synctest.Wait()
		if source.asked.Load() != 1 {
			t.Error("what is held no longer was fetched anew")
		}
	})
}
