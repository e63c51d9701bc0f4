package credentials

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnEditOvertakesWhatInvalidateLeavesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFile(time.Second, "one")
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		source.edit("two")
		c.Invalidate(first)
		second, _, _ := get(c)
		c.InVain(second)
		source.edit("three")
		c.Invalidate(second) // the third set in ten seconds, none of which AWS took
		if g, _, _ := get(c); g != second {
			t.Fatal("it was given up already: this test proves nothing")
		}
		if !c.Overtakes(t.Context(), second) {
			t.Fatal("the file says something else, and was not looked at")
		}
		if g, took, err := get(c); err != nil || took != time.Second || g.Credentials.SecretAccessKey != "three" || source.asked.Load() != 3 {
			t.Errorf("%+v after %s, %v, asked %d times", g, took, err, source.asked.Load())
		}
	})
}

func TestWhatNothingOvertakesIsKeptAndNothingIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(3*time.Second, time.Hour)
		c := newCache(t, source, Options{})
		g, _, _ := get(c)
		if c.Overtakes(t.Context(), g) || source.asked.Load() != 1 {
			t.Errorf("asked %d times", source.asked.Load())
		}
		<-time.After(time.Until(g.RefreshAt))
		_, _, _ = get(c) // begins a fetch beside the calls
		if c.Overtakes(t.Context(), g) {
			t.Error("a set that serves was given up for one that is on its way and may be long")
		}
		<-time.After(3 * time.Second)
		synctest.Wait()
		if !c.Overtakes(t.Context(), g) || source.asked.Load() != 2 {
			t.Errorf("what was replaced is not overtaken, or asked %d times", source.asked.Load())
		}
	})
}

func TestAnEditThatIsBeingFetchedOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFile(3*time.Second, "one")
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		source.edit("two")
		c.Recheck()
		synctest.Wait() // it has read the file: that has no news any more
		if source.edited.Load() || !c.Overtakes(t.Context(), first) {
			t.Fatal("what is on its way was not waited for")
		}
		if g, took, err := get(c); err != nil || took != 3*time.Second || g.Credentials.SecretAccessKey != "two" || source.asked.Load() != 2 {
			t.Errorf("%+v after %s, %v, asked %d times", g, took, err, source.asked.Load())
		}
	})
}

// A deafFile is a source whose files are where nothing answers.
type deafFile struct {
	script
	answers chan struct{}
}

func (d *deafFile) Changed(bool) bool { <-d.answers; return false }

func TestFilesThatDoNotAnswerHoldUpARefusalNoLongerThanTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &deafFile{answers: make(chan struct{})}
		source.fetch = func(context.Context, int64) (Fetched, error) { return living(1, time.Hour), nil }
		c := newCache(t, source, Options{Wait: 2 * time.Second})
		g, _, _ := get(c)
		for n := range 2 * maxDeaf { // the last wait for their turn to look
			began := time.Now()
			if c.Overtakes(t.Context(), g) || time.Since(began) != 2*time.Second {
				t.Errorf("look %d took %s", n, time.Since(began))
			}
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if began := time.Now(); c.Overtakes(gone, g) || time.Since(began) != 0 {
			t.Errorf("a call that is over waited for %s", time.Since(began))
		}
		close(source.answers)
		synctest.Wait()
		if began := time.Now(); c.Overtakes(t.Context(), g) || time.Since(began) != 0 {
			t.Errorf("files that answer again took %s", time.Since(began))
		}
	})
}
