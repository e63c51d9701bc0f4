package sandbox

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestADoorCountsWhoIsInsideAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{delay: func(n int) time.Duration { return time.Duration(n) * time.Second }}
		var all sync.WaitGroup
		come := func(many int) {
			for range many {
				all.Go(func() {
					if _, ok := d.enter(t.Context()); !ok {
						t.Error("sent away")
					}
					d.leave()
				})
			}
		}
		come(3)
		synctest.Wait()
		if came, most := d.count(); came != 3 || most != 3 {
			t.Errorf("%d came, %d at once", came, most)
		}
		all.Wait()
		come(2)
		all.Wait()
		if came, most := d.count(); came != 5 || most != 3 {
			t.Errorf("after two more: %d came, %d at once", came, most)
		}
	})
}

func TestADoorWithoutOrdersLetsEverybodyIn(t *testing.T) {
	var d door
	for want := range 3 {
		n, ok := d.enter(t.Context())
		d.leave()
		if !ok || n != want+1 {
			t.Errorf("%d %t, want %d", n, ok, want+1)
		}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	d.delay = func(int) time.Duration { return 0 }
	if _, ok := d.enter(gone); ok {
		t.Error("it waited for somebody who had left")
	}
}

func TestADoorThatHangsHoldsUntilTheClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{hang: func(n int) bool { return n == 1 }}
		ctx, leave := context.WithTimeout(t.Context(), 24*time.Hour)
		defer leave()
		began := time.Now()
		if _, ok := d.enter(ctx); ok || time.Since(began) != 24*time.Hour {
			t.Errorf("let in %t, after %s", ok, time.Since(began))
		}
		if n, ok := d.enter(t.Context()); !ok || n != 2 {
			t.Errorf("the second: %d %t", n, ok)
		}
	})
}
