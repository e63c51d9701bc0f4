package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A stage is a directory with a config file that is watched, and all that the watch has said.
type stage struct {
	t    *testing.T
	dir  string
	path string

	quiet  time.Duration
	within time.Duration // bound on the wait for an Update
	poll   time.Duration
	notify func() (*fsnotify.Watcher, error)

	current *Config
	watch   *watch
	heard   chan Update // what the watch said, in order; everything is taken at once
	cancel  context.CancelFunc
	stalled bool // this machine paused for longer than quiet: a half may have looked whole
}

// bothWays plays a story with events alone, the poll an hour away, and with the poll alone, as if inotify were
// exhausted. Then it saves once more: the Update for that must be the next one, so the story made no other.
func bothWays(t *testing.T, play func(s *stage)) {
	t.Helper()
	t.Parallel()
	full := func(s *stage) {
		defer s.stop()
		play(s)
		s.save(99)
		s.becomes(99)
		s.saysNoMore()
	}
	t.Run("events alone", func(t *testing.T) {
		t.Parallel()
		full(eventsAlone(t))
	})
	t.Run("poll alone", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { full(pollAlone(t)) })
	})
}

func eventsAlone(t *testing.T) *stage {
	return newStage(t, stage{quiet: 60 * time.Millisecond, poll: time.Hour, within: 20 * time.Second, notify: fsnotify.NewWatcher})
}

// pollAlone runs in a synctest bubble. What is saved must be told within the poll and one quiet time, and
// within another where a config comes to refer to other files.
func pollAlone(t *testing.T) *stage {
	none := func() (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") }
	return newStage(t, stage{quiet: defaultQuiet, poll: pollEvery, within: pollEvery + 2*defaultQuiet, notify: none})
}

// newStage has version 1 of the config, loaded. It is watched from start on.
func newStage(t *testing.T, s stage) *stage {
	t.Helper()
	s.t, s.dir, s.heard = t, t.TempDir(), make(chan Update, 10_000)
	s.path = s.at("signet.yaml")
	s.save(1)
	s.load()
	return &s
}

func (s *stage) at(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) load() {
	s.t.Helper()
	var err error
	if s.current, err = Load(s.path, s.options()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) options() Options { return Options{Environ: []string{"HOME=" + s.dir}} }

// open starts the watch and leaves its Updates to the test.
func (s *stage) open() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.watch = newWatch(s.path, s.current, s.options())
	s.watch.changes.quiet, s.watch.changes.poll, s.watch.changes.notify = s.quiet, s.poll, s.notify
	// The watch loads once at its start. What a story does comes after that, so that it takes an event or
	// the poll to find it.
	first := make(chan struct{})
	tell := sync.OnceFunc(func() { close(first) })
	s.watch.changes.settled = func(contents string) bool {
		defer tell()
		return s.watch.settled(contents)
	}
	s.watch.start(ctx)
	<-first
}

// start starts the watch and takes each Update at once.
func (s *stage) start() {
	s.open()
	go func() {
		defer close(s.heard)
		for u := range s.watch.updates {
			s.heard <- u
		}
	}()
}

// stop ends the watch and waits until it has let go of everything.
func (s *stage) stop() {
	if s.cancel == nil {
		return
	}
	s.cancel()
	for range s.heard {
	}
}

// version is a config of three routes, so that a part of it is a config as well.
func version(n int) string {
	var b strings.Builder
	b.WriteString("auth: { mode: none }\nroutes:\n")
	for _, name := range []string{"a", "b", "c"} {
		fmt.Fprintf(&b, "  %s:\n    upstream: http://127.0.0.1:1/%d\n    upstream_auth: none\n", name, n)
	}
	return b.String()
}

// versionOf is the version a Config was made of; 0 if it was made of a part of one.
func versionOf(cfg *Config) int {
	n := 0
	_, _ = fmt.Sscanf(cfg.Routes["a"].Upstream, "http://127.0.0.1:1/%d", &n)
	for _, name := range []string{"a", "b", "c"} {
		if cfg.Routes[name].Upstream != fmt.Sprintf("http://127.0.0.1:1/%d", n) {
			return 0
		}
	}
	return n
}

func (s *stage) save(n int) { s.write(s.path, version(n)) }

func (s *stage) write(path, text string) {
	s.t.Helper()
	begin := time.Now()
	s.must(os.WriteFile(path, []byte(text), 0o600))
	s.stalled = s.stalled || time.Since(begin) >= s.quiet // the file may have been empty for as long
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// pause is a pause that belongs to a way of saving.
func (s *stage) pause(d time.Duration) {
	begin := time.Now()
	<-time.After(d)
	if d < s.quiet && time.Since(begin) >= s.quiet {
		s.stalled = true
	}
}

// next is the next Update.
func (s *stage) next() Update {
	s.t.Helper()
	late := time.NewTimer(s.within)
	defer late.Stop()
	select {
	case u := <-s.heard:
		return u
	case <-late.C:
		s.t.Fatalf("no update within %s", s.within)
		return Update{}
	}
}

// becomes checks that the next Update is version n, whole.
func (s *stage) becomes(n int) {
	s.t.Helper()
	for {
		u := s.next()
		if s.stalled && (u.Err != nil || versionOf(u.Config) != n) {
			continue
		}
		if u.Err != nil {
			s.t.Fatalf("update is %v, want version %d", u.Err, n)
		}
		if got := versionOf(u.Config); got != n {
			s.t.Fatalf("update is version %d, want %d", got, n)
		}
		return
	}
}

// refuses checks that the next Update is an error that says what.
func (s *stage) refuses(what string) {
	s.t.Helper()
	u := s.next()
	if u.Err == nil {
		s.t.Fatalf("update is version %d, want an error", versionOf(u.Config))
	}
	if !strings.Contains(u.Err.Error(), what) {
		s.t.Fatalf("update is %q, want one that says %q", u.Err, what)
	}
}

// saysNoMore checks that there is no further Update: at once in real time, for a while of the fake clock.
func (s *stage) saysNoMore() {
	s.t.Helper()
	if s.poll == pollEvery {
		<-time.After(10 * pollEvery)
	}
	if len(s.heard) > 0 {
		u := <-s.heard
		s.t.Fatalf("one update more: %+v", u)
	}
}
