package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkTools holds what a route says of its tools against the rules.
func (v *routeRules) checkTools() {
	t := v.route.Tools
	v.checkPatterns("/tools/allow", t.Allow)
	v.checkPatterns("/tools/deny", t.Deny)
	for _, pattern := range slices.Sorted(maps.Keys(t.Timeouts)) {
		key := "/tools/timeouts/" + pattern
		if what, hint := patternProblem(pattern); what != "" {
			v.problem(key, what, hint)
		} else if t.Timeouts[pattern] <= 0 {
			v.problem(key, "must be more than 0", "a tool without an entry has timeouts.call")
		}
	}
	for i, pattern := range t.Allow {
		if t.ReadOnly && strings.Trim(pattern, "*") == "" && pattern != "" {
			v.warn(fmt.Sprintf("/tools/allow/%d", i), "allows every tool, and so read_only says nothing", "name the tools that may write")
		}
	}
	for i, pattern := range t.Deny {
		if strings.Trim(pattern, "*") == "" && pattern != "" {
			v.warn(fmt.Sprintf("/tools/deny/%d", i), "denies every tool", "enabled: false is a route that does not exist")
		}
	}
}

// checkPatterns holds each of a list of patterns against the rules.
func (v *routeRules) checkPatterns(key string, patterns []string) {
	for i, pattern := range patterns {
		if what, hint := patternProblem(pattern); what != "" {
			v.problem(fmt.Sprintf("%s/%d", key, i), what, hint)
		}
	}
}

// patternProblem is what keeps a text from being a pattern for the names of tools.
func patternProblem(pattern string) (what, hint string) {
	switch {
	case pattern == "":
		return "is empty", "* is every tool"
	case strings.TrimSpace(pattern) != pattern || strings.ContainsFunc(pattern, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "has white space at an end, or a control character, which no tool's name has", ""
	case strings.ContainsAny(pattern, `[]{}\!^$`):
		return "is no pattern", "* stands for any run of characters, ? for any one; there is nothing else"
	}
	return "", ""
}
