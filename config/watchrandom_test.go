package config

import (
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// Two hundred patterns of random saves, each from a seed of its own, so that one that fails can be played again.
func TestWatchEndsWithTheLastGoodFileAfterRandomSaves(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		t.Run("poll alone", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { saveAtRandom(pollAlone(t), seed, 3+int(seed%5)) })
		})
	}
	t.Run("events alone", func(t *testing.T) {
		t.Parallel()
		s := eventsAlone(t)
		s.quiet = 40 * time.Millisecond
		saveAtRandom(s, 4, 40)
	})
}

// saveAtRandom saves version after version, often the next before the last was told, and checks that what is
// told never goes back, is never a part of a version, and ends with the last, told in time. In the end the
// file may go bad once more: the last good one stays.
func saveAtRandom(s *stage, seed uint64, saves int) {
	s.t.Logf("seed %d", seed)
	defer s.stop()
	r := rand.New(rand.NewPCG(seed, 0))
	s.start()
	told := 1
	for n := 2; n <= saves+1; n++ {
		s.saveSomehow(r, n)
		saved := time.Now()
		if n == saves+1 || r.IntN(3) == 0 {
			told = s.arrives(told, n)
			if took := time.Since(saved); s.poll == pollEvery && took > 2500*time.Millisecond {
				s.t.Errorf("version %d is told %v after its last write", n, took)
			}
		}
	}
	if r.IntN(2) == 0 {
		s.write(s.path, "routes: [")
		s.refuses("signet.yaml:1:")
	}
	s.saysNoMore()
}

// arrives takes Updates until version n, and checks those on the way.
func (s *stage) arrives(told, n int) int {
	s.t.Helper()
	for told != n {
		u := s.next()
		if u.Err != nil {
			continue // what stood there for a while was bad, or gone
		}
		got := versionOf(u.Config)
		if got <= told && !s.stalled {
			s.t.Fatalf("update is version %d after %d", got, told)
		}
		told = got
	}
	return told
}

// saveSomehow saves version n in one of the manners of editors and scripts, with pauses inside.
func (s *stage) saveSomehow(r *rand.Rand, n int) {
	s.t.Helper()
	brief := func() { s.pause(time.Duration(r.Int64N(int64(s.quiet) * 3 / 4))) }
	long := func() { s.pause(time.Duration(r.Int64N(int64(s.quiet) * 3))) }
	temporary := s.at("temporary")
	switch r.IntN(7) {
	case 0: // in place
		s.saveInParts(r, s.path, n)
	case 1: // rename over
		s.saveInParts(r, temporary, n)
		s.must(os.Rename(temporary, s.path))
	case 2: // rename away, create
		s.must(os.Rename(s.path, s.at("backup")))
		brief()
		s.saveInParts(r, s.path, n)
	case 3: // delete, and recreate some time
		s.must(os.Remove(s.path))
		long()
		s.saveInParts(r, s.path, n)
	case 4: // a mistake first
		s.write(s.path, "routes: {a: {upstraem: x}}")
		long()
		s.save(n)
	case 5: // a symlink to a new file
		target := s.at("target" + string(rune('a'+n)))
		s.saveInParts(r, target, n)
		s.must(os.Symlink(target, temporary))
		s.must(os.Rename(temporary, s.path))
	case 6: // the same again, and touched
		s.save(n)
		brief()
		s.save(n)
		s.must(os.Chtimes(s.path, time.Now(), time.Now()))
	}
	if r.IntN(2) == 0 {
		brief()
	}
}

// saveInParts writes version n in up to five parts.
func (s *stage) saveInParts(r *rand.Rand, path string, n int) {
	s.t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	s.must(err)
	for text := version(n); text != ""; {
		part := min(len(text), 1+r.IntN(len(version(n))/2))
		if r.IntN(4) == 0 {
			part = len(text)
		}
		_, err := file.WriteString(text[:part])
		s.must(err)
		if text = text[part:]; text != "" {
			s.pause(time.Duration(r.Int64N(int64(s.quiet) * 3 / 4)))
		}
	}
	s.must(file.Close())
}
