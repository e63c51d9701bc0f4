package config

import (
	"fmt"
	"maps"
	"strings"
)

// findings are what is looked up among the documents and the problems while a merged config is judged. There
// may be 10,000 routes in as many files, each with a problem.
type findings struct {
	places map[string]place // of all documents, the topmost layer's last; nil: not made yet
	seen   int              // problems that are in the others
	broken map[string]bool  // keys with an error at or under them; "" where one is about a whole file
	hints  map[string]bool  // each after the key that it stands under, and a dot
}

// placeOf is where a key of the merged config was set: in the topmost layer that has it, else, for a
// route's key, in the defaults, else where the nearest key above it stands.
func (l *loading) placeOf(path string) place {
	f := &l.findings
	if f.places == nil {
		f.places = map[string]place{}
		for _, d := range l.documents {
			maps.Copy(f.places, d.places)
		}
	}
	for p := path; ; {
		if at, ok := f.places[p]; ok {
			return at
		}
		if parts := strings.SplitN(p, "/", 3); len(parts) == 3 && parts[0] == "routes" {
			if at, ok := l.documents[0].places["defaults/"+parts[2]]; ok {
				return at
			}
		}
		if !strings.Contains(p, "/") {
			return place{file: l.path, line: 1, column: 1}
		}
		p, _ = split(p)
	}
}

// broken reports whether a problem has been found at or under a path: what is missing there is then no
// second problem.
func (l *loading) broken(path string) bool {
	f := l.found()
	return f.broken[""] || f.broken[dotted(path)]
}

// misspelt reports whether a problem beside a path supposes that its key was meant to be that one.
func (l *loading) misspelt(path string) bool {
	above, key := split(path)
	return l.found().hints[dotted(above)+"."+fmt.Sprintf("did you mean %q?", key)]
}

// found takes in the problems that are new.
func (l *loading) found() *findings {
	f := &l.findings
	if f.broken == nil {
		f.broken, f.hints = map[string]bool{}, map[string]bool{}
	}
	for ; f.seen < len(l.problems); f.seen++ {
		p := l.problems[f.seen]
		f.hints[p.Key[:strings.LastIndexByte(p.Key, '.')+1]+p.Hint] = true
		if p.Warning {
			continue
		}
		f.broken[p.Key] = true
		for key := p.Key; strings.LastIndexByte(key, '.') > 0; {
			key = key[:strings.LastIndexByte(key, '.')]
			f.broken[key] = true
		}
	}
	return f
}
