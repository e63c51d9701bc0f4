package config

import (
	"context"
	"path/filepath"
	"slices"
	"sync/atomic"
)

// An Update is what a config file has become: a Config, or why it is none.
type Update struct {
	// Config is what the file says now. Nil: Err.
	Config *Config

	// Err is *Invalid where the file does not hold a config.
	Err error
}

// Watch follows the file at path, its includes, and all it refers to; current is what Load last made of it.
// Each time their contents have changed and settled there is an Update; what was saved between the loading
// of current and now is one. Contents that are those of the last Update make none. The channel is closed
// when ctx ends.
func Watch(ctx context.Context, path string, current *Config, o Options) <-chan Update {
	w := &watch{path: path, options: o, seen: current.Hash, updates: make(chan Update)}
	w.current.Store(current)
	changes := WatchFiles(ctx, w.files, 0)
	go w.run(ctx, changes)
	return w.updates
}

// A watch turns changes of files into Updates.
type watch struct {
	path    string
	options Options
	updates chan Update
	seen    string                 // Hash of the contents of the last Update, or the text of its error
	current atomic.Pointer[Config] // the last that loaded: files is asked by another goroutine
}

// files are those whose contents decide the config: what the last one was made of, and what its include
// patterns match now.
func (w *watch) files() []string {
	cfg := w.current.Load()
	files := append([]string{cfg.Path}, cfg.Files...)
	for _, pattern := range cfg.Include {
		pattern = ExpandHome(pattern, w.options.Environ)
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(filepath.Dir(cfg.Path), pattern)
		}
		found, _ := filepath.Glob(pattern) // Load refuses a bad pattern
		// The pattern itself is no file, but its directory is one in which files may come.
		files = append(append(files, found...), pattern)
	}
	slices.Sort(files)
	return slices.Compact(files)
}

func (w *watch) run(ctx context.Context, changes <-chan struct{}) {
	defer close(w.updates)
	w.look(ctx)
	for range changes {
		w.look(ctx)
	}
}

// look loads the files, and tells what they have become unless that has been told.
func (w *watch) look(ctx context.Context) {
	cfg, err := Load(w.path, w.options)
	said := ""
	if err != nil {
		said = err.Error()
	} else {
		said = cfg.Hash
	}
	if said == w.seen {
		return
	}
	w.seen = said
	if cfg != nil {
		w.current.Store(cfg)
	}
	select {
	case w.updates <- Update{Config: cfg, Err: err}:
	case <-ctx.Done():
	}
}
