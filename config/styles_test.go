package config

import (
	"os"
	"testing"
	"time"
)

// A style is how a program saves version n, by the system calls it makes.
type style struct {
	name string
	save func(s *stage, n int)
}

// styles are those of row K04, and those that end other watchers: each was seen in the program it is named for.
func styles() []style {
	return []style{
		{"VS Code, nano, cp: in place", func(s *stage, n int) { s.save(n) }},
		{"sed -i, mv: renamed over", func(s *stage, n int) {
			s.write(s.at("sedXYZ123"), version(n))
			s.must(os.Rename(s.at("sedXYZ123"), s.path))
		}},
		{"rsync: renamed over, then its time and mode", func(s *stage, n int) {
			s.write(s.at(".signet.yaml.aB3"), version(n))
			s.must(os.Chtimes(s.at(".signet.yaml.aB3"), time.Unix(1, 0), time.Unix(1, 0)))
			s.must(os.Rename(s.at(".signet.yaml.aB3"), s.path))
			s.must(os.Chmod(s.path, 0o644))
		}},
		{"vim: renamed away, created, the backup removed", func(s *stage, n int) {
			s.write(s.at("4913"), "") // its probe
			s.must(os.Remove(s.at("4913")))
			s.must(os.Rename(s.path, s.at("signet.yaml~")))
			s.pause(s.quiet / 10)
			s.save(n)
			s.must(os.Remove(s.at("signet.yaml~")))
		}},
		{"vim, backupcopy=yes: copied away, written in place", func(s *stage, n int) {
			held, err := os.ReadFile(s.path)
			s.must(err)
			s.write(s.at("signet.yaml~"), string(held))
			s.must(os.Truncate(s.path, 0))
			s.pause(s.quiet / 10)
			s.save(n)
			s.must(os.Remove(s.at("signet.yaml~")))
		}},
		{"emacs: renamed to the backup that stays, created", func(s *stage, n int) {
			s.must(os.Symlink("user@host.1", s.at(".#signet.yaml"))) // its lock
			s.must(os.Rename(s.path, s.at("signet.yaml~")))
			s.save(n)
			s.must(os.Remove(s.at(".#signet.yaml")))
		}},
		{"deleted, created", func(s *stage, n int) {
			s.must(os.Remove(s.path))
			s.pause(s.quiet / 4)
			s.save(n)
		}},
		{"a hard link renamed over", func(s *stage, n int) {
			s.write(s.at("next"), version(n))
			s.must(os.Link(s.at("next"), s.at("next.2")))
			s.must(os.Rename(s.at("next.2"), s.path))
			s.must(os.Remove(s.at("next")))
		}},
	}
}

func TestFault_K04_WatchAppliesEachSaveOfEveryEditorOnce(t *testing.T) {
	for _, style := range styles() {
		t.Run(style.name, func(t *testing.T) {
			bothWays(t, func(s *stage) {
				s.start()
				for n := 2; n <= 4; n++ {
					style.save(s, n)
					s.becomes(n)
				}
			})
		})
	}
}
