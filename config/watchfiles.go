package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// defaultQuiet is how long contents must stay the same before they count as saved.
	defaultQuiet = 200 * time.Millisecond

	// pollEvery is how often the contents are compared whatever was notified. It is the guarantee: events
	// get lost when a directory is replaced, on network file systems, and when inotify runs out.
	pollEvery = 2 * time.Second
)

// A fileWatch follows the contents of some files. Events say only when to look; what is compared are the
// bytes, so neither a busy directory nor a touch or a chmod counts. koanf's own watcher is not used: it dies
// when an editor renames the file away, drops the last of two quick writes, and can deadlock.
type fileWatch struct {
	files  func() []string
	quiet  time.Duration
	poll   time.Duration
	notify func() (*fsnotify.Watcher, error)
	notice func(string) // nil: has been told, or nobody is to be

	// settled is shown contents that have been left alone for quiet. False: show them again at the next
	// event or poll, changed or not.
	settled func(contents string) bool

	events  *fsnotify.Watcher // nil: poll alone
	watched map[string]bool   // directories

	seen    string // contents when last looked at
	dealt   string // contents that settled has dealt with; empty: none
	still   *time.Timer
	waiting bool // still runs
}

// WatchOptions are how files are watched. The zero value works.
type WatchOptions struct {
	// Quiet is how long contents must stay the same before they count as saved. Zero: 200 ms.
	Quiet time.Duration

	// Notice is told, once, that the system gives no events, or not of every directory, so that a save may
	// take 2 s to be seen. It must not wait. Nil: nobody is told.
	Notice func(text string)
}

// WatchFiles signals each time the contents of files have changed and then stayed the same for a while. Files
// that come or go have changed; files that are touched, or rewritten with what they held, have not. files is
// asked anew for each comparison, from one goroutine. A signal not yet taken stands for all changes since. The
// channel is closed, and nothing is left running, once ctx ends.
//
// Contents are compared at least every 2 s, by all their bytes, so no change is missed for want of an event.
// Only regular files are read; of anything else it counts what it is.
func WatchFiles(ctx context.Context, files func() []string, o WatchOptions) <-chan struct{} {
	return newFileWatch(files, o).signals(ctx)
}

func newFileWatch(files func() []string, o WatchOptions) *fileWatch {
	if o.Quiet == 0 {
		o.Quiet = defaultQuiet
	}
	return &fileWatch{
		files: files, quiet: o.Quiet, notice: o.Notice, poll: pollEvery, notify: fsnotify.NewWatcher,
		watched: map[string]bool{},
	}
}

// signals runs the watch from the contents of now on.
func (w *fileWatch) signals(ctx context.Context) <-chan struct{} {
	signal := make(chan struct{}, 1)
	w.settled = func(string) bool {
		select {
		case signal <- struct{}{}:
		default:
		}
		return true
	}
	w.begin()
	w.dealt = w.seen
	go func() {
		defer close(signal)
		w.run(ctx)
	}()
	return signal
}

// begin asks the system for events, and without them leaves it to the poll. The contents are looked at after
// that, so that whatever is saved later is seen.
func (w *fileWatch) begin() {
	events, err := w.notify()
	if err == nil {
		w.events = events
	} else {
		w.fallBack("", err)
	}
	w.arm()
	w.seen = fingerprint(w.files())
}

// fallBack says that there are no events, of a directory or of any.
func (w *fileWatch) fallBack(dir string, err error) {
	if w.notice == nil {
		return
	}
	if dir != "" {
		dir = " in " + dir
	}
	w.notice(fmt.Sprintf("no events of files saved%s (%v): falling back to polling, every %v", dir, err, w.poll))
	w.notice = nil
}

// run follows the files until ctx ends.
func (w *fileWatch) run(ctx context.Context) {
	var changes chan fsnotify.Event
	var errs chan error
	if w.events != nil {
		defer func() { _ = w.events.Close() }() // waits for its goroutine
		changes, errs = w.events.Events, w.events.Errors
	}
	poll := time.NewTicker(w.poll)
	defer poll.Stop()
	w.still = time.NewTimer(w.quiet)
	defer w.still.Stop()
	w.waiting = true
	// One glance for all events of a moment: what is going on may be many files that are none of ours.
	var glance <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-changes:
			if !ok {
				changes, errs = nil, nil
				w.fallBack("", fsnotify.ErrClosed)
			}
			glance = w.soon(glance)
		case _, ok := <-errs: // an overflow: something happened
			if !ok {
				errs = nil
			}
			glance = w.soon(glance)
		case <-glance:
			glance = nil
			w.look()
		case <-poll.C:
			w.look()
		case <-w.still.C:
			w.settle()
		}
	}
}

// soon is the glance that is due already, or a new one.
func (w *fileWatch) soon(glance <-chan time.Time) <-chan time.Time {
	if glance != nil {
		return glance
	}
	return time.After(w.quiet / 10)
}

// look compares the contents with those last seen.
func (w *fileWatch) look() {
	w.arm()
	if !w.changed() && w.seen != w.dealt && !w.waiting {
		w.wait()
	}
}

// settle comes after quiet: if the contents are still the same, they are shown.
func (w *fileWatch) settle() {
	if w.changed() {
		return
	}
	w.waiting = false
	if w.seen == w.dealt {
		return
	}
	w.dealt = ""
	if w.settled(w.seen) {
		w.dealt = w.seen
	}
	w.arm() // there may be other files now
	w.changed()
}

// changed reports whether the contents are others than those last seen, and if so waits for them to settle.
func (w *fileWatch) changed() bool {
	now := fingerprint(w.files())
	if now == w.seen {
		return false
	}
	w.seen = now
	w.wait()
	return true
}

func (w *fileWatch) wait() {
	w.waiting = true
	w.still.Reset(w.quiet)
}

// arm watches every directory in which something could change the files.
func (w *fileWatch) arm() {
	if w.events == nil {
		return
	}
	var wanted map[string]bool
	// Again after something new: what came into a directory before it was watched made no event.
	for more := true; more; {
		more = false
		wanted = hops(w.files())
		for dir := range wanted {
			// Each time: a directory that was replaced has the same name and is not watched any more.
			err := w.events.Add(dir)
			switch {
			case err == nil && !w.watched[dir]:
				w.watched[dir] = true
				more = true
			case err != nil && !errors.Is(err, fs.ErrNotExist): // no more watches, most likely
				w.fallBack(dir, err)
			}
		}
	}
	for dir := range w.watched {
		if !wanted[dir] {
			_ = w.events.Remove(dir) // gone already, perhaps
			delete(w.watched, dir)
		}
	}
}
