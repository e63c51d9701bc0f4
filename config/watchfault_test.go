package config

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/tools/txtar"
)

func TestFault_K01_WatchTellsOnceThatAFileIsGoneAndAppliesTheNext(t *testing.T) {
	bothWays(t, func(s *stage) {
		s.start()
		s.must(os.Remove(s.path))
		s.refuses("signet.yaml: file does not exist")
		if gone := 5 * s.quiet; s.poll == pollEvery {
			s.pause(time.Minute) // of the fake clock
		} else {
			s.pause(gone)
		}
		s.save(2)
		s.becomes(2)
	})
}

// Row K02: saves in two parts, 1.5 ms to 3 s apart; a thousand of them with SIGNET_LONG. A part that stands for longer than the quiet time
// is a file like any other; what is whole is told within 2.5 s of its last write all the same.
func TestFault_K02_WatchAppliesEachOfManyFilesWrittenInTwo(t *testing.T) {
	t.Parallel()
	saves := 100
	if os.Getenv("SIGNET_LONG") != "" {
		saves = 1000
	}
	synctest.Test(t, func(t *testing.T) {
		s := pollAlone(t)
		defer s.stop()
		s.start()
		r := rand.New(rand.NewPCG(2, 2))
		for n := 2; n <= saves+1; n++ {
			text := version(n)
			cut := 1 + r.IntN(len(text)-1)
			gap := 1500*time.Microsecond + time.Duration(r.Int64N(int64(defaultQuiet)))
			if r.IntN(4) == 0 {
				gap = defaultQuiet + time.Duration(r.Int64N(int64(3*time.Second)))
			}
			s.write(s.path, text[:cut])
			<-time.After(gap)
			s.write(s.path, text)
			saved := time.Now()
			for told := 0; told != n; {
				u := s.next()
				if u.Err == nil {
					told = versionOf(u.Config)
				}
				if told != n && gap < defaultQuiet {
					t.Fatalf("%v apart: told %+v of a part", gap, u)
				}
			}
			if took := time.Since(saved); took > 2500*time.Millisecond {
				t.Fatalf("%v apart: told after %v", gap, took)
			}
		}
	})
}

func TestFault_K05_WatchTellsARingOfSymlinksOnceAndAppliesWhatReplacesIt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no rings of symlinks there")
	}
	bothWays(t, func(s *stage) {
		s.start()
		s.must(os.Symlink("signet.yaml", s.at("ring")))
		s.must(os.Rename(s.at("ring"), s.path))
		s.refuses("signet.yaml: too many levels of symbolic links")
		s.pause(5 * s.quiet)
		s.write(s.at("next"), version(2))
		s.must(os.Rename(s.at("next"), s.path))
		s.becomes(2)
	})
}

// Row K06: inotify instances run out (128 of them for a user, commonly).
func TestFault_K06_WatchSaysOnceThatItFallsBackToPolling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a")
		var said []string
		w := newFileWatch(func() []string { return []string{path} }, WatchOptions{Notice: func(text string) { said = append(said, text) }})
		w.notify = func() (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") }
		signals := w.signals(t.Context())
		overwrite(t, path, "one")
		if n := signalsIn(signals, 2500*time.Millisecond); n != 1 {
			t.Errorf("%d signals by the poll alone", n)
		}
		signalsIn(signals, time.Hour)
		if len(said) != 1 || said[0] != "no events of files saved (too many open files): falling back to polling, every 2s" {
			t.Errorf("said %q", said)
		}
	})
}

// Watches run out as well, and events may end. What is saved is seen all the same; were the watch to ask for
// events that have ended again and again, the fake clock would stand still.
func TestFault_K06_WatchOutlivesItsEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a")
		var said []string
		w := newFileWatch(func() []string { return []string{path} }, WatchOptions{Notice: func(text string) { said = append(said, text) }})
		w.notify = func() (*fsnotify.Watcher, error) {
			events, err := fsnotify.NewWatcher()
			if err == nil {
				err = events.Close()
			}
			return events, err
		}
		signals := w.signals(t.Context())
		overwrite(t, path, "one")
		if n := signalsIn(signals, 2500*time.Millisecond); n != 1 {
			t.Errorf("%d signals by the poll alone", n)
		}
		signalsIn(signals, time.Hour)
		if len(said) != 1 || !strings.HasPrefix(said[0], "no events of files saved in "+filepath.Dir(path)+" (") {
			t.Errorf("said %q", said)
		}
	})
}

// The two files of a pair are saved one after the other; in between they do not fit.
func TestFault_K12_WatchAppliesARenewedCertificateOnce(t *testing.T) {
	bothWays(t, func(s *stage) {
		renew := func() {
			cert, key := certificate(s.t)
			s.write(s.at("cert.pem"), cert)
			s.pause(s.quiet / 4)
			s.write(s.at("key.pem"), key)
		}
		renew()
		s.write(s.path, withTLS+"\n"+version(1))
		s.load()
		s.start()
		for range 2 {
			before := s.current.TLS
			renew()
			u := s.next()
			s.must(u.Err)
			if u.Config.TLS.Held == nil || string(u.Config.TLS.Held.cert) == string(before.Held.cert) {
				s.t.Error("the certificate is the one before")
			}
			s.current = u.Config
		}
		s.must(os.Remove(s.at("key.pem")))
		s.refuses("key.pem: file does not exist")
	})
}

// Row K13, as decided: others than the owner may write, and there is no flag to allow it. Who the owner is does
// not count, for containers mount the files of other users.
func TestFault_K13_AFileThatOthersMayWriteIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes there")
	}
	text := strings.Replace(listening(t, withTLS+"\ninclude: [more.yaml]"), "profile: dev", "profile: ${file:profile}", 1) +
		"-- more.yaml --\nroutes: {}\n-- .config/signet/keys --\n-- profile --\ndev\n"
	for _, name := range []string{"signet.yaml", "more.yaml", "key.pem", "cert.pem", ".config/signet/keys", "profile"} {
		dir, environ := unpack(t, txtar.Parse([]byte(text)))
		path := filepath.Join(dir, "signet.yaml")
		if _, err := Load(path, Options{Environ: environ}); err != nil {
			t.Fatal(err)
		}
		for _, mode := range []os.FileMode{0o620, 0o602, 0o666} {
			if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(path, Options{Environ: environ}); err == nil || !strings.Contains(err.Error(), "others may write this file\n    chmod go-w ") {
				t.Errorf("%s of mode %o: %v", name, mode, err)
			}
		}
	}
}
