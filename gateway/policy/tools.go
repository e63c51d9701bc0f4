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
}

// Tools decides which tools there are. It may be used at once by many.
type Tools struct {
	allow, deny []Glob
	hints       *Hints // nil: tools that write are as good as others
}

// New makes Tools of rules. Nil: there is no rule. hints may be nil where the rules are not read-only.
func New(r Rules, hints *Hints) *Tools {
	if len(r.Allow) == 0 && len(r.Deny) == 0 && !r.ReadOnly {
		return nil
	}
	t := &Tools{}
	for _, pattern := range r.Allow {
		t.allow = append(t.allow, Glob(pattern))
	}
	for _, pattern := range r.Deny {
		t.deny = append(t.deny, Glob(strings.ToLower(pattern)))
	}
	if r.ReadOnly {
		t.hints = hints
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
	Unseen             // whether it only reads is not known
)

// Call is the verdict on a call of a tool at now.
func (t *Tools) Call(name string, now time.Time) Verdict {
	v := t.byName(name)
	if v != Writes {
		return v
	}
	switch t.hints.of(name, now) {
	case readsOnly:
		return Permitted
	case writes:
		return Writes
	}
	return Unseen
}

// Listed reports whether a tool is to be listed that says of itself that it only reads, or does not.
func (t *Tools) Listed(name string, readOnly bool) bool {
	v := t.byName(name)
	return v == Permitted || v == Writes && readOnly
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
	case t.hints != nil:
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
