package policy

import (
	"cmp"
	"slices"
	"time"
)

// Timeouts are how long tools may take, by pattern.
type Timeouts struct {
	limits []limit // what says most first
}

type limit struct {
	pattern Glob
	within  time.Duration
}

// NewTimeouts makes Timeouts of patterns. Nil: there are none.
func NewTimeouts(patterns map[string]time.Duration) *Timeouts {
	if len(patterns) == 0 {
		return nil
	}
	t := &Timeouts{}
	for pattern, within := range patterns {
		t.limits = append(t.limits, limit{Glob(pattern), within})
	}
	slices.SortFunc(t.limits, func(a, b limit) int {
		return cmp.Or(
			cmp.Compare(a.pattern.wildcards(), b.pattern.wildcards()),
			-cmp.Compare(a.pattern.weight(), b.pattern.weight()),
			cmp.Compare(a.within, b.within),
			cmp.Compare(a.pattern, b.pattern),
		)
	})
	return t
}

// Of is how long a tool may take: by the pattern that is its name, else by the one with the most characters other
// than wildcards, and of two such the shorter time. Zero: no pattern has it.
func (t *Timeouts) Of(name string) time.Duration {
	for _, l := range t.limits {
		if l.pattern.Match(name) {
			return l.within
		}
	}
	return 0
}
