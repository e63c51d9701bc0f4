package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// polled is a fileWatch without events, for a fake clock, and its signals. It ends with the test.
func polled(t *testing.T, files func() []string) <-chan struct{} {
	w := newFileWatch(files, WatchOptions{})
	w.notify = func() (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") }
	return w.signals(t.Context())
}

func overwrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// signalsIn is how many signals there are while d passes.
func signalsIn(signals <-chan struct{}, d time.Duration) int {
	end := time.After(d)
	for n := 0; ; n++ {
		select {
		case <-signals:
		case <-end:
			return n
		}
	}
}

func TestWatchFilesSignalsSavesAndClosesWithItsContext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "credentials")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	signals := WatchFiles(ctx, func() []string { return []string{path} }, WatchOptions{Quiet: 20 * time.Millisecond})
	await := func() bool {
		select {
		case _, ok := <-signals:
			return ok
		case <-time.After(20 * time.Second):
			t.Fatal("nothing happened")
			return false
		}
	}
	for _, text := range []string{"one", "two"} {
		overwrite(t, path+".new", text)
		if err := os.Rename(path+".new", path); err != nil { // half of a save, were there one, is a save of its own
			t.Fatal(err)
		}
		if !await() {
			t.Fatal("closed while its context lives")
		}
	}
	cancel()
	if await() {
		t.Error("a signal, want the end")
	}
}

func TestWatchFilesSignalsOnceHoweverManySavesNobodyWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a")
		signals := polled(t, func() []string { return []string{path} })
		for n := range 5 {
			overwrite(t, path, fmt.Sprint(n))
			<-time.After(2 * pollEvery)
		}
		if n := signalsIn(signals, 3*pollEvery); n != 1 {
			t.Errorf("%d signals, want 1", n)
		}
	})
}

func TestWatchFilesSignalsWhenAFileComesOrGoesOrAnotherIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		overwrite(t, b, "b")
		names := make(chan []string, 1)
		names <- []string{a}
		files := func() []string {
			now := <-names
			names <- now
			return now
		}
		signals := polled(t, files)
		for _, step := range []struct {
			what string
			do   func()
			want int
		}{
			{"nothing happens", func() {}, 0},
			{"it comes", func() { overwrite(t, a, "a") }, 1},
			{"it is touched", func() { _ = os.Chtimes(a, time.Now(), time.Now()) }, 0},
			{"another is saved", func() { overwrite(t, b, "bb") }, 0},
			{"it goes", func() { _ = os.Remove(a) }, 1},
			{"another is named", func() { <-names; names <- []string{a, b} }, 1},
			{"the other is saved", func() { overwrite(t, b, "bbb") }, 1},
		} {
			step.do()
			if got := signalsIn(signals, 3*pollEvery); got != step.want {
				t.Errorf("%s: %d signals, want %d", step.what, got, step.want)
			}
		}
	})
}

func TestWatchFilesWaitsUntilAFileIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a")
		signals := polled(t, func() []string { return []string{path} })
		for n := range 100 { // 15 s without 200 ms of quiet
			overwrite(t, path, fmt.Sprint(n))
			if signalsIn(signals, defaultQuiet*3/4) > 0 {
				t.Fatal("a signal while the file is written")
			}
		}
		if n := signalsIn(signals, 2*defaultQuiet); n != 1 {
			t.Errorf("%d signals after the last write, want 1", n)
		}
	})
}

func TestWatchFilesSaysNothingOfContentsThatAreBackBeforeTheySettle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a")
		overwrite(t, path, "one")
		signals := polled(t, func() []string { return []string{path} })
		<-time.After(pollEvery - defaultQuiet/4)
		overwrite(t, path, "two")
		<-time.After(defaultQuiet / 2) // the poll has seen it
		overwrite(t, path, "one")
		if n := signalsIn(signals, 3*pollEvery); n != 0 {
			t.Errorf("%d signals, want none", n)
		}
	})
}
