package credentials

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAtMostEightAskAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHome()
		var asking, most atomic.Int64
		var all sync.WaitGroup
		began := time.Now()
		for range 50 {
			all.Go(func() {
				done, err := h.ask(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				defer done()
				most.Store(max(most.Load(), asking.Add(1)))
				<-time.After(3 * time.Second)
				asking.Add(-1)
			})
		}
		all.Wait()
		if most.Load() != maxAsks || time.Since(began) != 7*3*time.Second {
			t.Errorf("%d at once, all in %s", most.Load(), time.Since(began))
		}
	})
}

func TestSourcesThatHangKeepNobodyWaitingPastALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHome()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range maxAsks {
			done, err := h.ask(ctx)
			if err != nil {
				t.Fatal(err)
			}
			go func() { defer done(); <-ctx.Done() }()
		}
		began := time.Now()
		done, err := h.ask(ctx)
		if err != nil || time.Since(began) != lease {
			t.Errorf("the ninth after %s, %v", time.Since(began), err)
		}
		done()
		cancel()
		synctest.Wait()
		if n := len(h.asks); n != 0 {
			t.Errorf("%d places are not given back", n)
		}
	})
}

func TestWhoWaitsToAskLeavesWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHome()
		for range maxAsks {
			done, _ := h.ask(t.Context())
			defer done()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.ask(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestAGateLetsOneThroughAtATimeAndIsGoneAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHome()
		var through, most atomic.Int64
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_, leave, err := h.enter(t.Context(), "token")
				if err != nil {
					t.Error(err)
					return
				}
				defer leave()
				most.Store(max(most.Load(), through.Add(1)))
				<-time.After(time.Second)
				through.Add(-1)
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		synctest.Wait()
		if _, _, err := h.enter(ctx, "token"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a gate in use: %v", err)
		}
		all.Wait()
		if most.Load() != 1 {
			t.Errorf("%d at once", most.Load())
		}
		_, leave, _ := h.enter(t.Context(), "last")
		leave()
		if len(h.gates) != 1 {
			t.Errorf("%d gates are left", len(h.gates))
		}
	})
}

func TestFilesNameWhatMayChangeAnybodysCredentials(t *testing.T) {
	home(t, "", "")
	for _, variable := range []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CA_BUNDLE"} {
		t.Setenv(variable, "/of/"+variable)
	}
	t.Setenv("AWS_LOGIN_CACHE_DIRECTORY", "/login")
	files := NewHome().Files()
	for _, want := range []string{"/of/AWS_WEB_IDENTITY_TOKEN_FILE", "/of/AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/of/AWS_CA_BUNDLE", "/login/*.json"} {
		if !slices.Contains(files, want) {
			t.Errorf("%s is not followed, of %v", want, files)
		}
	}
	if len(files) != 7 {
		t.Errorf("%v", files)
	}
}
