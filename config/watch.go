package config

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
)

// An Update is what a config file has become: a Config, or why it is none.
type Update struct {
	// Config is what the file says now. Nil: Err.
	Config *Config

	// Err is *Invalid where the file does not hold a config.
	Err error
}

// Watch follows the file at path, its includes, and all it refers to. current is what the caller applied
// last; nil: nothing. Each time their contents have changed and settled there is an Update; if they are
// already others than current was made of, that is the first. Never are two Updates in a row the same. An
// Update that is not taken is replaced by the next, so the one taken is the newest. The channel is closed,
// and nothing is left running, once ctx ends.
//
// A file that is refused is read again every 2 s, for the cause may lie beside it: its mode, or a file that
// only it refers to. A config read from a pipe does not change, and is not followed.
func Watch(ctx context.Context, path string, current *Config, o Options) <-chan Update {
	w := newWatch(path, current, o)
	w.start(ctx)
	return w.updates
}

// A watch turns changes of files into Updates.
type watch struct {
	path    string
	options Options
	changes *fileWatch

	followed *Config // the last that loaded: its files are followed; of the goroutine of changes

	outcomes chan outcome // from the goroutine of changes to that of deliver, which always takes
	updates  chan Update
	taken    outcome // the last that the caller has; of deliver
}

// An outcome is an Update and the contents it was made of.
type outcome struct {
	Update
	contents string
}

// same reports whether a caller who has b learns nothing from a. Configs are compared whole: their Hash alone
// cannot tell whether the file was saved while it was read.
func (a outcome) same(b outcome) bool {
	if a.Err != nil && b.Err != nil {
		return a.contents == b.contents && a.Err.Error() == b.Err.Error()
	}
	return a.Err == nil && b.Err == nil && reflect.DeepEqual(a.Config, b.Config)
}

func newWatch(path string, current *Config, o Options) *watch {
	w := &watch{
		path: path, options: o, followed: current, taken: outcome{Update: Update{Config: current}},
		outcomes: make(chan outcome), updates: make(chan Update),
	}
	w.changes = newFileWatch(w.files, WatchOptions{Notice: o.Notice})
	w.changes.settled = w.settled
	return w
}

func (w *watch) start(ctx context.Context) {
	w.changes.begin()
	go func() {
		defer close(w.outcomes)
		w.changes.run(ctx)
	}()
	go w.deliver(ctx)
}

// files are those whose contents decide the config: what the last one was made of, and what its include
// patterns match now.
func (w *watch) files() []string {
	path, err := filepath.Abs(w.path)
	if err != nil {
		path = w.path
	}
	files := []string{path}
	if cfg := w.followed; cfg != nil {
		files = append(files, cfg.Files...)
		for _, pattern := range cfg.Include {
			pattern = ExpandHome(pattern, w.options.Environ)
			if !filepath.IsAbs(pattern) {
				pattern = filepath.Join(filepath.Dir(path), pattern)
			}
			found, _ := filepath.Glob(pattern) // Load refuses a bad pattern
			// The pattern itself is no file, but its directory is one in which files may come.
			files = append(append(files, found...), pattern)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// settled loads the files, whose contents have been the same for a while, and reports whether that was all
// there is to do about these contents.
func (w *watch) settled(contents string) bool {
	if isStream(w.path) {
		return true
	}
	cfg, err := Load(w.path, w.options)
	before := w.files()
	if fingerprint(before) != contents {
		return false // saved while it was read: it has to settle again
	}
	if cfg != nil {
		w.followed = cfg
		if !slices.Equal(before, w.files()) {
			return false // files it newly refers to have to settle as well
		}
	}
	w.outcomes <- outcome{Update{cfg, err}, contents}
	return err == nil
}

// deliver hands out the newest Update, unless the caller has it, until ctx ends.
func (w *watch) deliver(ctx context.Context) {
	defer close(w.updates)
	var next outcome
	var out chan<- Update // nil: nothing to hand out
	for {
		select {
		case <-ctx.Done():
			for range w.outcomes { // until the files are let go
			}
			return
		case next = <-w.outcomes:
			out = w.updates
			if next.same(w.taken) {
				out = nil
			}
		case out <- next.Update:
			w.taken, out = next, nil
		}
	}
}

// isStream reports whether path can be read only once.
func isStream(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeCharDevice) != 0
}
