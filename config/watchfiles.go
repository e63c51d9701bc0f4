package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// defaultQuiet is how long files must be left alone before they count as saved.
	defaultQuiet = 200 * time.Millisecond

	// pollEvery is how often the contents are compared whatever was notified. It is the guarantee: events
	// get lost when a directory is replaced, on network file systems, and when inotify runs out.
	pollEvery = 2 * time.Second

	// maxHops bounds a chain of symlinks.
	maxHops = 40
)

// A fileWatch follows the contents of some files. koanf's own watcher is not used: it dies when an editor
// renames the file away, drops the last of two quick writes, and can deadlock.
type fileWatch struct {
	files   func() []string
	quiet   time.Duration
	poll    time.Duration
	events  *fsnotify.Watcher // nil: poll alone
	watched map[string]bool   // directories
	signal  chan struct{}
}

// WatchFiles signals each time the contents of files have changed and then been left alone for quiet (zero:
// 200 ms). A file that is touched, or rewritten with what it held, is no change; one that comes or goes is.
// files is asked anew each time. The channel is closed when ctx ends.
func WatchFiles(ctx context.Context, files func() []string, quiet time.Duration) <-chan struct{} {
	w := newFileWatch(files, quiet)
	w.begin()
	go w.run(ctx, fingerprint(files()))
	return w.signal
}

func newFileWatch(files func() []string, quiet time.Duration) *fileWatch {
	if quiet == 0 {
		quiet = defaultQuiet
	}
	return &fileWatch{files: files, quiet: quiet, poll: pollEvery, watched: map[string]bool{}, signal: make(chan struct{}, 1)}
}

// begin asks the system for events; without them there is the poll.
func (w *fileWatch) begin() {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return
	}
	w.events = events
	w.arm()
}

// run follows the files from contents on until ctx ends.
func (w *fileWatch) run(ctx context.Context, contents string) {
	defer close(w.signal)
	var changes chan fsnotify.Event
	var errors chan error
	if w.events != nil {
		defer func() { _ = w.events.Close() }()
		changes, errors = w.events.Events, w.events.Errors
	}
	poll := time.NewTicker(w.poll)
	defer poll.Stop()
	settled := time.NewTimer(w.quiet)
	settled.Stop()
	seen, pending := contents, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
			w.arm()
			settled.Reset(w.quiet)
		case <-errors: // an overflow: something happened
			settled.Reset(w.quiet)
		case <-poll.C:
			if now := fingerprint(w.files()); now != seen && !pending {
				seen, pending = now, true
				settled.Reset(w.quiet)
			}
			w.arm()
		case <-settled.C:
			now := fingerprint(w.files())
			if now != seen && pending {
				// Changed since the poll: wait until it has been quiet.
				seen = now
				settled.Reset(w.quiet)
				continue
			}
			seen, pending = now, false
			if now != contents {
				contents = now
				w.tell()
			}
		}
	}
}

// tell signals without waiting: one signal that nobody has taken yet stands for all.
func (w *fileWatch) tell() {
	select {
	case w.signal <- struct{}{}:
	default:
	}
}

// arm watches every directory in which something could change the files: the parent of each, and of each
// symlink on the way, or the nearest that exists.
func (w *fileWatch) arm() {
	if w.events == nil {
		return
	}
	wanted := map[string]bool{}
	for _, file := range w.files() {
		for _, dir := range parents(file) {
			wanted[dir] = true
		}
	}
	for dir := range w.watched {
		if !wanted[dir] {
			_ = w.events.Remove(dir) // gone already, perhaps
			delete(w.watched, dir)
		}
	}
	for dir := range wanted {
		// Added each time: a directory that was replaced has the same name and is not watched any more.
		if err := w.events.Add(dir); err == nil {
			w.watched[dir] = true
		}
	}
}

// parents are the directories in which a file, or a symlink on the way to it, stands.
func parents(path string) []string {
	var dirs []string
	for range maxHops {
		dir := filepath.Dir(path)
		for {
			if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
				break
			}
			dir = filepath.Dir(dir)
		}
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
		link, target := firstLink(path)
		if link == "" {
			break
		}
		if dir := filepath.Dir(link); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
		path = target
	}
	return dirs
}

// firstLink is the first symlink on a path, and the path with the link followed. Empty: there is none.
func firstLink(path string) (link, target string) {
	walked := string(filepath.Separator)
	parts := splitPath(path)
	for i, part := range parts {
		walked = filepath.Join(walked, part)
		to, err := os.Readlink(walked)
		if err != nil {
			continue
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(walked), to)
		}
		return walked, filepath.Join(append([]string{to}, parts[i+1:]...)...)
	}
	return "", ""
}

// splitPath is an absolute path's elements.
func splitPath(path string) []string {
	var parts []string
	for path != filepath.Dir(path) {
		parts = append([]string{filepath.Base(path)}, parts...)
		path = filepath.Dir(path)
	}
	return parts
}

// fingerprint is a hash of the files' contents, and of which are there.
func fingerprint(files []string) string {
	sum := sha256.New()
	for _, file := range files {
		content, err := os.ReadFile(file)
		fmt.Fprintf(sum, "%s\x00%v\x00%d\x00", file, err == nil, len(content))
		sum.Write(content)
	}
	return string(sum.Sum(nil))
}
