package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Options are what a config is made of besides its files. The zero value works.
type Options struct {
	// Flags are settings of the command line by their path with dots, "log.level" for instance. They win
	// over everything. Only global scalars can be set so.
	Flags map[string]any

	// Environ is the environment: SIGNET_* settings, ${VAR} values, HOME. Nil: os.Environ.
	Environ []string

	// Notice is what WatchOptions has, for Watch. Load needs none.
	Notice func(text string)
}

// errNoFile says that a path is a directory, a pipe or the like.
var errNoFile = errors.New("not a regular file")

// A loading is one run of Load.
type loading struct {
	path     string // as the operator names it
	absolute string
	options  Options
	schema   *jsonschema.Schema

	bundle    string      // what AWS_CA_BUNDLE names; "" nothing
	documents []*document // the file, its includes, the environment, the flags
	problems  []Problem
	findings  findings
	files     map[string]bool   // absolute paths of all that counts
	contents  map[string][]byte // of those that could be read, as they were read
}

// Load reads a config file and all it refers to. The error is *Invalid, with every problem there is.
func Load(path string, o Options) (*Config, error) {
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	l := &loading{path: path, absolute: absolute, options: o, files: map[string]bool{}, contents: map[string][]byte{}}
	if l.schema, err = compiled(); err != nil {
		return nil, err
	}
	main := l.read(path, absolute)
	if main == nil {
		return nil, l.invalid()
	}
	l.includes(main)
	l.documents = append(l.documents, l.environment(), l.flags())
	for _, d := range l.documents {
		d.check(l.schema)
		l.problems = append(l.problems, d.problems...)
	}
	cfg, err := l.merge()
	if err != nil {
		return nil, err
	}
	l.validate(cfg)
	l.finish(cfg)
	if slices.ContainsFunc(l.problems, func(p Problem) bool { return !p.Warning }) {
		return nil, l.invalid()
	}
	cfg.Warnings = l.problems
	return cfg, nil
}

func (l *loading) invalid() error {
	var order []string
	for _, d := range l.documents {
		order = append(order, d.file)
	}
	sortProblems(l.problems, order)
	return &Invalid{Problems: l.problems}
}

// finish fills in what a Config knows of its own making.
func (l *loading) finish(cfg *Config) {
	cfg.Path = l.absolute
	cfg.Files = slices.Sorted(maps.Keys(l.files))
	sum := sha256.New()
	for _, file := range cfg.Files {
		content, read := l.contents[file]
		fmt.Fprintf(sum, "%s %v %d\n", file, read, len(content))
		sum.Write(content)
	}
	cfg.Hash = hex.EncodeToString(sum.Sum(nil))
}

// read reads one file into a document, or notes why it cannot.
func (l *loading) read(name, absolute string) *document {
	content, err := l.contentOf(absolute)
	if err != nil {
		l.problems = append(l.problems, Problem{File: name, What: reason(err), Hint: modeHint(err, name)})
		return nil
	}
	d := parse(name, content)
	e := &expansion{doc: d, loading: l, dir: filepath.Dir(absolute)}
	e.tree("", d.tree)
	prune(d.tree, 0)
	l.documents = append(l.documents, d)
	return d
}

// contentOf is what a file that counts holds. It is read once, so that what is judged is what is hashed.
func (l *loading) contentOf(path string) ([]byte, error) {
	if content, read := l.contents[path]; read {
		return content, nil
	}
	l.files[path] = true
	content, err := readFile(path)
	if err == nil {
		l.contents[path] = content
	}
	return content, err
}

// readFile reads a regular file that nobody but its owner may write, of at most maxFile.
func readFile(path string) ([]byte, error) {
	if err := checkMode(path); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(content) > maxFile {
		return nil, errTooLarge
	}
	return content, err
}

func modeHint(err error, path string) string {
	if errors.Is(err, errWritable) {
		return "chmod go-w " + path
	}
	return ""
}

// reason is why a file could not be read, without its path, which stands before.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "file does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "file may not be read"
	case errors.Is(err, errWritable):
		return errWritable.Error()
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// prune takes out keys without a value: they mean the default. A route without one stays, as a route with
// every key at its default.
func prune(tree map[string]any, depth int) {
	for key, value := range tree {
		switch v := value.(type) {
		case nil:
			delete(tree, key)
		case map[string]any:
			if key == "routes" && depth == 0 {
				for name, route := range v {
					if route == nil {
						v[name] = map[string]any{}
					}
				}
			}
			prune(v, depth+1)
		}
	}
}

// includes reads the files that include: names, in the order of their names.
func (l *loading) includes(main *document) {
	patterns, ok := main.tree["include"].([]any)
	if !ok {
		return
	}
	for i, pattern := range patterns {
		text, ok := pattern.(string)
		if !ok {
			continue // the schema says so
		}
		path := fmt.Sprintf("include/%d", i)
		found, err := filepath.Glob(l.beside(text))
		if err != nil {
			main.wrong(path, "is no pattern", "")
			continue
		}
		if len(found) == 0 && !hasMeta(text) {
			main.wrong(path, "file does not exist", "")
		}
		for _, file := range found {
			l.include(main, path, file)
		}
	}
}

// include reads one included file, and refuses what it may not have. A file that two patterns match is read
// once.
func (l *loading) include(main *document, path, file string) {
	if file == l.absolute {
		main.wrong(path, "matches this file itself", "keep the others in a directory of their own")
		return
	}
	if l.files[file] {
		return
	}
	d := l.read(file, file)
	if d == nil {
		return
	}
	for _, key := range sortedKeys(d.tree) {
		if key != "routes" {
			d.wrong(key, "an included file has routes, and nothing else", "")
		}
	}
}

// beside is a path relative to the config file's directory, made absolute.
func (l *loading) beside(path string) string {
	path = ExpandHome(path, l.options.Environ)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(l.absolute), path)
}
