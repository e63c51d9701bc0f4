package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxHops bounds a chain of symlinks.
const maxHops = 40

// hops are the directories in which something could change what stands at paths: for each the directory of
// every symlink on the way, and that of the file at its end, or the nearest that exists. No name in it has a
// symlink in it, so each directory is there once.
func hops(paths []string) map[string]bool {
	w := walk{links: map[string]string{}, near: map[string]string{}}
	dirs := map[string]bool{}
	for _, path := range paths {
		path, err := filepath.Abs(path)
		if err != nil {
			continue // no working directory: nothing to watch
		}
		for range maxHops {
			link, target := w.firstLink(path)
			if link == "" {
				dirs[w.nearest(filepath.Dir(path))] = true
				break
			}
			dirs[filepath.Dir(link)] = true
			path = target
		}
	}
	return dirs
}

// A walk asks the system once for each name, however many paths have it on their way.
type walk struct {
	links map[string]string // what a symlink holds; noLink, or nothing
	near  map[string]string // by directory
}

// noLink is what stands for a name that is there and is no symlink, and nothing for one that is not there:
// neither can be what a symlink holds.
const (
	noLink  = "\x00"
	nothing = ""
)

// firstLink is the first symlink on an absolute path, and the path with that one followed. Empty: none.
func (w walk) firstLink(path string) (link, target string) {
	root := filepath.VolumeName(path) + string(filepath.Separator)
	for end := len(root); end < len(path); end++ {
		if i := strings.IndexByte(path[end:], filepath.Separator); i >= 0 {
			end += i
		} else {
			end = len(path)
		}
		switch to := w.link(path[:end]); to {
		case noLink:
		case nothing:
			return "", "" // and so is all below
		default:
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(path[:end]), to)
			}
			return path[:end], filepath.Join(to, path[end:])
		}
	}
	return "", ""
}

// link is what the symlink at path holds, noLink or nothing.
func (w walk) link(path string) string {
	to, known := w.links[path]
	if known {
		return to
	}
	to, err := os.Readlink(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		to = nothing
	case err != nil:
		to = noLink
	}
	w.links[path] = to
	return to
}

// nearest is dir, or the first directory above it that exists.
func (w walk) nearest(dir string) string {
	if near, known := w.near[dir]; known {
		return near
	}
	near := dir
	if info, err := os.Stat(dir); (err != nil || !info.IsDir()) && dir != filepath.Dir(dir) {
		near = w.nearest(filepath.Dir(dir))
	}
	w.near[dir] = near
	return near
}
