package config

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

func TestWatchFindsWhatWasSavedBetweenLoadAndWatch(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.save(2)
		s.start()
		s.becomes(2)
	})
}

// Load reads the file and then its hash; what is saved between the two has the hash of what is applied.
func TestWatchFindsWhatWasSavedWhileTheCallerLoaded(t *testing.T) {
	bothWays(t, func(s *stage) {
		first := *s.current
		s.save(2)
		s.load()
		first.Hash = s.current.Hash
		s.current = &first
		s.start()
		s.becomes(2)
	})
}

func TestWatchWaitsForAFileMissingAtStart(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.must(os.Remove(s.path))
		s.current = nil
		s.start()
		s.refuses("signet.yaml: file does not exist")
		s.save(2)
		s.becomes(2)
	})
}

func TestWatchTellsABadFileOnceAndAppliesTheNextGoodOne(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.start()
		s.write(s.path, "routes: [")
		s.refuses("signet.yaml:1:")
		s.pause(5 * s.quiet)
		s.save(2)
		s.becomes(2)
	})
}

// The caller still has version 1, but has been told that the file is bad: it must learn that it is not.
func TestWatchTellsThatABadFileIsAgainWhatItWas(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.start()
		s.write(s.path, "routes: [")
		s.refuses("signet.yaml:1:")
		s.save(1)
		s.becomes(1)
	})
}

func TestWatchTellsEachBadFileThoughItSaysTheSame(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.start()
		for _, comment := range []string{"# one\n", "# two\n"} {
			s.write(s.path, "routse: {}\n"+comment+version(1))
			s.refuses(`did you mean "routes"?`)
		}
	})
}

func TestFault_K13_WatchAppliesARefusedFileOnceItsModeIsMended(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes to mend")
	}
	bothWays(t, func(s *stage) {
		s.start()
		s.write(s.at("new"), version(2))
		s.must(os.Chmod(s.at("new"), 0o666))
		s.must(os.Rename(s.at("new"), s.path))
		s.refuses("others may write")
		s.must(os.Chmod(s.path, 0o600))
		s.becomes(2)
	})
}

func TestWatchAppliesARefusedFileOnceWhatItRefersToIsThere(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.start()
		s.write(s.path, teamed(2))
		s.refuses("team")
		s.write(s.at("team"), "platform")
		s.becomes(2)
	})
}

// teamed is version n with a header that a file holds.
func teamed(n int) string {
	return version(n) + "    headers: { X-Team: '${file:team}' }\n"
}

// team checks that the next Update is version n with this team.
func (s *stage) team(n int, want string) {
	s.t.Helper()
	u := s.next()
	s.must(u.Err)
	if got := u.Config.Routes["c"].Headers["X-Team"]; got != want || versionOf(u.Config) != n {
		s.t.Fatalf("update is version %d with team %q, want %d with %q", versionOf(u.Config), got, n, want)
	}
}

func TestFault_K12_WatchAppliesAChangeOfAFileReferredTo(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.must(os.Mkdir(s.at("secrets"), 0o700))
		s.write(s.at("secrets/team"), "one")
		s.start()
		s.write(s.path, strings.ReplaceAll(teamed(1), "file:team", "file:secrets/team"))
		s.team(1, "one")
		s.write(s.at("secrets/team"), "two")
		s.team(1, "two")
		s.must(os.Remove(s.at("secrets/team")))
		s.refuses("team")
	})
}

// The file is not known before the config that names it is loaded, and a part of it stands there just then.
func TestWatchAppliesNoPartOfAFileNewlyReferredTo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := pollAlone(t)
		defer s.stop()
		s.start()
		s.pause(pollEvery - defaultQuiet*3/2) // the watch has begun a quiet time ago
		s.write(s.path, teamed(2))
		s.pause(defaultQuiet) // the poll has seen it, it is loaded in half a quiet time
		s.write(s.at("team"), "plat")
		s.pause(defaultQuiet * 3 / 4)
		s.write(s.at("team"), "platform")
		s.team(2, "platform")
		s.saysNoMore()
	})
}

func TestFault_K12_WatchAppliesAnIncludedFileThatComesChangesAndGoes(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.must(os.Mkdir(s.at("conf.d"), 0o700))
		s.write(s.path, "include: [conf.d/*.yaml]\n"+version(1))
		s.load()
		s.start()
		has := func(want string) {
			t.Helper()
			u := s.next()
			s.must(u.Err)
			if got := u.Config.Routes["more"].Upstream; got != want {
				t.Fatalf("included route goes to %q, want %q", got, want)
			}
		}
		for _, to := range []string{"http://127.0.0.1:1/x", "http://127.0.0.1:1/y"} {
			s.write(s.at("conf.d/more.yaml"), "routes:\n  more: { upstream: "+to+", upstream_auth: none }\n")
			has(to)
		}
		s.must(os.Remove(s.at("conf.d/more.yaml")))
		has("")
	})
}

// Events of files that are none of ours must not put off a save for ever.
func TestWatchAppliesASaveInABusyDirectory(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.start()
		done, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			for busy := true; busy; {
				_ = os.WriteFile(s.at("other.log"), []byte(time.Now().String()), 0o600)
				select {
				case <-done:
					busy = false
				case <-time.After(s.quiet / 5):
				}
			}
		}()
		s.save(2)
		s.becomes(2)
		close(done)
		<-ended
	})
}

func TestWatchHandsACallerWhoIsLateTheNewestAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := pollAlone(t)
		s.open()
		for n := 2; n <= 4; n++ {
			s.save(n)
			s.pause(2 * pollEvery)
		}
		if got := versionOf((<-s.watch.updates).Config); got != 4 {
			t.Errorf("first update taken is version %d, want 4", got)
		}
		s.save(5)
		s.pause(2 * pollEvery)
		s.save(4) // what the caller has
		s.pause(2 * pollEvery)
		select {
		case u := <-s.watch.updates:
			t.Errorf("update of what the caller has: %+v", u)
		default:
		}
		s.cancel()
	})
}

func TestWatchDoesNotReadAPipeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := pollAlone(t)
		defer s.stop()
		s.path = os.DevNull // like a pipe, it holds no config when read again
		s.start()
		s.saysNoMore()
	})
}

func TestWatchEndsWithItsContextThoughAnUpdateWaits(t *testing.T) {
	t.Parallel()
	s := eventsAlone(t)
	s.save(2)
	s.open()
	s.pause(3 * s.quiet)
	s.cancel()
	late := time.After(s.within)
	for open := true; open; {
		select {
		case _, open = <-s.watch.updates:
		case <-late:
			t.Fatal("updates are not closed")
		}
	}
	if err := s.watch.changes.events.Add(s.dir); !errors.Is(err, fsnotify.ErrClosed) {
		t.Errorf("events are not closed: %v", err)
	}
}

// What was loaded may be of other contents than those that settled.
func TestWatchDropsWhatItLoadedOfAFileSavedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := pollAlone(t)
		w := newWatch(s.path, s.current, s.options())
		settled := fingerprint(w.files())
		s.save(2)
		if w.settled(settled) { // were it to tell, nobody would take that
			t.Error("contents that are no more count as dealt with")
		}
	})
}
