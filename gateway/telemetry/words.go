package telemetry

import (
	"sync"
	"unicode/utf8"
)

const (
	// maxWords is how many words of a route have a series of their own.
	maxWords = 64

	// maxSeen is how many that were met once are remembered, and maxWordsOf of how many routes words are.
	maxSeen, maxWordsOf = 128, 4096

	// maxLabel is the longest word that can have a series of its own.
	maxLabel = 128
)

// words bound those that clients and upstreams choose freely. A word has a series of its own from the second time on
// that it is good, as long as there is room; until then, and else, it is one with all the others. So neither names
// made at random nor names that fail make series.
type words struct {
	mu  sync.RWMutex
	met map[string]*met // by route; under mu
}

// met are the words of one route.
type met struct{ kept, once map[string]struct{} }

// of is a route's word as metrics carry it, empty if it is.
func (w *words) of(route, word string, good bool) string {
	if word == "" || w.keeps(route, word) {
		return word
	}
	if !good || len(word) > maxLabel || !utf8.ValidString(word) {
		return other
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.met[route]
	if m == nil {
		if w.met == nil || len(w.met) >= maxWordsOf {
			w.met = map[string]*met{}
		}
		m = &met{map[string]struct{}{}, map[string]struct{}{}}
		w.met[route] = m
	}
	return m.of(word)
}

func (w *words) keeps(route, word string) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	m := w.met[route]
	if m == nil {
		return false
	}
	_, ok := m.kept[word]
	return ok
}

func (m *met) of(word string) string {
	if _, ok := m.once[word]; !ok {
		if len(m.once) >= maxSeen {
			clear(m.once)
		}
		m.once[word] = struct{}{}
		return other
	}
	if len(m.kept) >= maxWords {
		return other
	}
	delete(m.once, word)
	m.kept[word] = struct{}{}
	return word
}

// errorType is an ending's error.type as metrics carry it. The reasons are ours and few; codes are the upstream's.
func (r *Recorder) errorType(route string, e Ending, met bool) string {
	kind := e.errorType()
	if e.Reason != "" || e.Code == 0 || specified(e.Code) {
		return kind
	}
	return r.codes.of(route, kind, met)
}

// specified reports whether a code is one of JSON-RPC's, MCP's or our own.
func specified(code int) bool {
	return code >= -32603 && code <= -32600 || code == -32700 || code == -32002 || code == -32042 ||
		code >= -32022 && code <= -32020 || code >= -31040 && code <= -31001
}
