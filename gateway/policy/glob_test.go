package policy

import (
	"strings"
	"testing"
)

func TestGlobMatchesTheWholeName(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true}, {"*", "anything at all", true}, {"", "", true}, {"", "a", false},
		{"a", "a", true}, {"a", "ab", false}, {"a", "A", false}, {"?", "é", true}, {"?", "", false}, {"??", "é", false},
		{"aws___*", "aws___call_aws", true}, {"aws___*", "aws__", false}, {"*delete*", "s3_delete_all", true},
		{"*delete*", "delete", true}, {"*delete", "delete_all", false}, {"*a*b*c", "xaybzc", true}, {"*a*b*c", "xaybzcd", false},
		{"*ab", "aab", true}, {"a*b?d", "abbcbxd", true}, {"**", "x", true}, {"a*", "a", true}, {"é*", "é1", true},
		{"[ab]", "a", false}, {`\*`, "*", false},
	} {
		if got := Glob(test.pattern).Match(test.name); got != test.want {
			t.Errorf("%q matches %q: %t, want %t", test.pattern, test.name, got, test.want)
		}
	}
}

// A pattern of many stars against a long name takes steps by the product of both, not by a power: were it otherwise
// this test would not end.
func TestGlobOfManyStarsEnds(t *testing.T) {
	if Glob(strings.Repeat("*a", 100) + "b").Match(strings.Repeat("a", 10_000)) {
		t.Error("it matched")
	}
}

func FuzzGlobMatchesItself(f *testing.F) {
	f.Add("a*b?", "xx")
	f.Fuzz(func(t *testing.T, name, other string) {
		if strings.ContainsAny(name, "*?") || strings.ContainsAny(other, "*?") {
			return
		}
		if Glob(name).Match(other) != (name == other) {
			t.Errorf("%q against %q", name, other)
		}
		for _, pattern := range []string{name + "*", "*" + name, "*" + name + "*", name + "**"} {
			if !Glob(pattern).Match(name) {
				t.Errorf("%q does not match %q", pattern, name)
			}
		}
		if !Glob(name+"*"+other).Match(name+"x"+other) || !Glob("*").Match(other) {
			t.Errorf("%q * %q", name, other)
		}
	})
}
