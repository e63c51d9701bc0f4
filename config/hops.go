package config

import (
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
	dirs := map[string]bool{}
	for _, path := range paths {
		path, err := filepath.Abs(path)
		if err != nil {
			continue // no working directory: nothing to watch
		}
		for range maxHops {
			link, target := firstLink(path)
			if link == "" {
				dirs[nearest(filepath.Dir(path))] = true
				break
			}
			dirs[filepath.Dir(link)] = true
			path = target
		}
	}
	return dirs
}

// firstLink is the first symlink on an absolute path, and the path with that one followed. Empty: none.
func firstLink(path string) (link, target string) {
	root := filepath.VolumeName(path) + string(filepath.Separator)
	walked, rest := root, strings.TrimPrefix(path, root)
	for rest != "" {
		part, after, _ := strings.Cut(rest, string(filepath.Separator))
		walked, rest = filepath.Join(walked, part), after
		to, err := os.Readlink(walked)
		if err != nil {
			continue
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(walked), to)
		}
		return walked, filepath.Join(to, rest)
	}
	return "", ""
}

// nearest is dir, or the first directory above it that exists.
func nearest(dir string) string {
	for {
		info, err := os.Stat(dir)
		if err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
