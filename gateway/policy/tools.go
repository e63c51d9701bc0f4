// Package policy says what a call may do.
//
// It decides by what a strict reading of the message's body says, never by its headers, and knows nothing of HTTP.
package policy

import (
	"strings"
	"time"
	"unicode"
)

// Rules are what an operator says of a route's tools.
type Rules struct {
	// Allow are the tools that there are: no others are listed or called. Empty: all are. With ReadOnly they are
	// the tools that there are beside those that only read.
	Allow []string

	// Deny are tools that there are not, whatever else is said. Their case says nothing.
	Deny []string

	// ReadOnly lets only tools be listed and called whose annotations say readOnlyHint: true.
	ReadOnly bool

	// Pins, if not nil, are the only tools that there are, and only as long as they are what was accepted.
	Pins *Pins
}

// Tools decides which tools there are. It may be used at once by many.
type Tools struct {
	allow, deny []Glob
	readOnly    bool
	pins        *Pins  // nil: what a tool is does not matter
	hints       *Hints // what is known of tools; nil where it does not matter
}

// New makes Tools of rules. Nil: there is no rule. hints may be nil where the rules have neither ReadOnly nor Pins.
func New(r Rules, hints *Hints) *Tools {
	if len(r.Allow) == 0 && len(r.Deny) == 0 && !r.ReadOnly && r.Pins == nil {
		return nil
	}
	t := &Tools{readOnly: r.ReadOnly, pins: r.Pins, hints: hints}
	for _, pattern := range r.Allow {
		t.allow = append(t.allow, Glob(pattern))
	}
	for _, pattern := range r.Deny {
		t.deny = append(t.deny, Glob(strings.ToLower(pattern)))
	}
	return t
}

// A Verdict is what may become of a tool.
type Verdict int

// The verdicts. The zero Verdict is none.
const (
	Permitted  Verdict = iota + 1
	NoName             // it has none, or one with characters that nobody sees
	Denied             // by Deny
	NotAllowed         // by Allow
	Writes             // it does not say that it only reads
	Unseen             // whether it only reads, or is what was accepted, is not known
	Drifted            // it is not what was accepted
	Unpinned           // nobody accepted it
)

// Call is the verdict on a call of a tool at now.
func (t *Tools) Call(name string, now time.Time) Verdict {
	return t.judge(name, func() (hint, bool) { return t.hints.of(name, now) })
}

// Last is the verdict by what the upstream said last, for when it says nothing now.
func (t *Tools) Last(name string) Verdict {
	return t.judge(name, func() (hint, bool) { return t.hints.last(name) })
}

func (t *Tools) judge(name string, known func() (hint, bool)) Verdict {
	v := t.byName(name)
	if v != Writes && (v != Permitted || t.pins == nil) {
		return v
	}
	if t.pins != nil {
		if _, pinned := t.pins.hashes[name]; !pinned {
			return Unpinned
		}
	}
	switch h, ok := known(); {
	case !ok:
		return Unseen
	case t.pins != nil && h.drift != Accepted:
		return Drifted
	case v == Writes && !h.readOnly:
		return Writes
	}
	return Permitted
}

// Listed reports whether a tool is to be listed, of which it is known how it stands to what was accepted.
func (t *Tools) Listed(tool Tool) bool {
	v := t.byName(tool.Name)
	return (v == Permitted || v == Writes && tool.ReadOnly) && (t.pins == nil || tool.Drift == Accepted)
}

// byName is the verdict on a tool that does not say that it only reads.
func (t *Tools) byName(name string) Verdict {
	switch {
	case name == "" || strings.TrimSpace(name) != name || strings.ContainsFunc(name, invisible):
		return NoName
	case matches(t.deny, strings.ToLower(name)):
		return Denied
	case matches(t.allow, name):
		return Permitted
	case t.readOnly:
		return Writes
	case len(t.allow) > 0:
		return NotAllowed
	}
	return Permitted
}

func matches(patterns []Glob, name string) bool {
	for _, g := range patterns {
		if g.Match(name) {
			return true
		}
	}
	return false
}

// invisible reports whether a character has no place in a name: who reads the name does not see it.
func invisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Variation_Selector) || r == unicode.ReplacementChar
}
