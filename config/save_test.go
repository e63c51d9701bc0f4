package config

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestFault_K02_WatchAppliesNoPartOfAFileWrittenInThree(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.start()
		file, err := os.OpenFile(s.path, os.O_WRONLY|os.O_TRUNC, 0o600)
		s.must(err)
		text := version(2)
		third := len(text) / 3
		for _, part := range []string{text[:third], text[third : 2*third], text[2*third:]} {
			s.pause(s.quiet / 4)
			_, err := file.WriteString(part)
			s.must(err)
		}
		s.must(file.Close())
		s.becomes(2)
	})
}

// A part that stands until the poll has seen it, and a quiet time less a little, is still a part.
func TestFault_K02_WatchAppliesNoPartThatStandsForAlmostTheQuietTime(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.start()
		text := version(2)
		for end := 70; end < len(text); end += 40 {
			s.write(s.path, text[:end])
			s.pause(s.quiet * 7 / 10)
		}
		s.save(2)
		s.becomes(2)
	})
}

// Kubernetes mounts a ConfigMap as file -> ..data/file, ..data -> a directory that is replaced.
func TestFault_K05_WatchFollowsThreeSwapsOfAConfigMap(t *testing.T) {
	bothWays(t, func(s *stage) {
		mount := func(n int) {
			dir := fmt.Sprintf("..2026_%d", n)
			s.must(os.Mkdir(s.at(dir), 0o700))
			s.write(s.at(dir+"/signet.yaml"), version(n))
			s.must(os.Symlink(dir, s.at("..data_tmp")))
			s.must(os.Rename(s.at("..data_tmp"), s.at("..data")))
			if n > 1 {
				s.must(os.RemoveAll(s.at(fmt.Sprintf("..2026_%d", n-1))))
			}
		}
		mount(1)
		s.must(os.Remove(s.path))
		s.must(os.Symlink("..data/signet.yaml", s.path))
		s.load()
		s.start()
		for n := 2; n <= 4; n++ {
			mount(n)
			s.becomes(n)
		}
	})
}

func TestFault_K05_WatchSeesTheTargetOfASymlinkEdited(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.linkTo("elsewhere/real.yaml")
		s.load()
		s.start()
		for n := 2; n <= 4; n++ {
			s.write(s.at("elsewhere/new"), version(n))
			s.must(os.Rename(s.at("elsewhere/new"), s.at("elsewhere/real.yaml")))
			s.becomes(n)
		}
	})
}

func TestFault_K05_WatchAppliesTheTargetOfADanglingSymlinkOnceThere(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.linkTo("elsewhere/deep/real.yaml")
		s.must(os.RemoveAll(s.at("elsewhere")))
		s.start()
		s.refuses("file does not exist")
		s.must(os.MkdirAll(s.at("elsewhere/deep"), 0o700))
		s.write(s.at("elsewhere/deep/real.yaml"), version(2))
		s.becomes(2)
	})
}

// linkTo moves the config to a name below the stage's directory and leaves a symlink in its place.
func (s *stage) linkTo(name string) {
	s.t.Helper()
	s.must(os.MkdirAll(s.at(name), 0o700))
	s.must(os.Remove(s.at(name)))
	s.must(os.Rename(s.path, s.at(name)))
	s.must(os.Symlink(name, s.path))
}

func TestWatchSaysNothingOfATouch(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.start()
		s.must(os.Chtimes(s.path, time.Now(), time.Now().Add(time.Hour)))
		s.pause(2 * s.quiet)
		s.save(1) // rewritten with what it held
		s.pause(2 * s.quiet)
	})
}

func TestWatchSaysNothingOfAChmod(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.start()
		s.must(os.Chmod(s.path, 0o644))
		s.pause(2 * s.quiet)
		s.must(os.Chmod(s.path, 0o400))
		s.pause(2 * s.quiet)
		s.must(os.Chmod(s.path, 0o600))
	})
}

func TestWatchMakesAtMostTwoUpdatesOfTwentySavesInABurst(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.start()
		for n := 2; n <= 21; n++ {
			s.save(n)
			s.pause(s.quiet / 10)
		}
		updates, got := 0, 0
		for got != 21 {
			u := s.next()
			if u.Err != nil && s.stalled {
				continue
			}
			s.must(u.Err)
			got = versionOf(u.Config)
			updates++
		}
		if updates > 2 && !s.stalled {
			t.Errorf("%d updates of a burst", updates)
		}
	})
}

func TestFault_K06_WatchFollowsAParentDirectoryThatIsReplaced(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.must(os.Mkdir(s.at("etc"), 0o700))
		s.path = s.at("etc/signet.yaml")
		s.save(1)
		s.load()
		s.start()
		for n := 2; n <= 4; n++ {
			s.must(os.Mkdir(s.at("next"), 0o700))
			s.write(s.at("next/signet.yaml"), version(n))
			s.must(os.Rename(s.at("etc"), s.at("last")))
			s.must(os.Rename(s.at("next"), s.at("etc")))
			s.becomes(n)
			s.must(os.RemoveAll(s.at("last")))
		}
	})
}

// Size and times are those of before; only the bytes tell, or the time of the inode's change.
func TestWatchAppliesASaveOfTheSameSizeAndTime(t *testing.T) {
	bothWays(t, func(s *stage) {
		info, err := os.Stat(s.path)
		s.must(err)
		s.start()
		s.save(2)
		s.must(os.Chtimes(s.path, info.ModTime(), info.ModTime()))
		s.becomes(2)
	})
}
