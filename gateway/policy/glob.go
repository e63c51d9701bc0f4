package policy

import "unicode/utf8"

// A Glob is a pattern for names: * stands for any run of characters, ? for any one.
type Glob string

// Match reports whether all of name is as the pattern says.
func (g Glob) Match(name string) bool {
	pattern, retry, from := string(g), "", ""
	starred := false
	for {
		switch {
		case pattern != "" && pattern[0] == '*':
			pattern = pattern[1:]
			retry, from, starred = pattern, name, true
			continue
		case name == "" && pattern == "":
			return true
		case name != "" && pattern != "":
			if rest, ok := step(pattern, name); ok {
				pattern, name = pattern[1:], rest
				continue
			}
		}
		if !starred || from == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(from) // the last star stands for one more
		from = from[size:]
		pattern, name = retry, from
	}
}

// step is name without what the first byte of pattern stands for.
func step(pattern, name string) (rest string, ok bool) {
	if pattern[0] == '?' {
		_, size := utf8.DecodeRuneInString(name)
		return name[size:], true
	}
	return name[1:], pattern[0] == name[0]
}

// weight is how much a pattern says: its characters other than wildcards.
func (g Glob) weight() (n int) {
	for _, r := range string(g) {
		if r != '*' && r != '?' {
			n++
		}
	}
	return n
}

// wildcards is 1 for a pattern that has any, and 0 for a name.
func (g Glob) wildcards() int { return min(1, utf8.RuneCountInString(string(g))-g.weight()) }
