package sandbox

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// canonical is the canonical request: "Create a canonical request" in AWS's Signature Version 4 reference.
func (v *verifier) canonical(r *request, signed []string, hash string) string {
	path, query, _ := strings.Cut(r.target, "?")
	if !v.raw {
		path = normalised(path)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s\n", r.method, encoded(path, true), canonicalQuery(query))
	for _, name := range signed {
		values := r.all(name)
		for i := range values {
			values[i] = folded(values[i])
		}
		fmt.Fprintf(&b, "%s:%s\n", name, strings.Join(values, ","))
	}
	fmt.Fprintf(&b, "\n%s\n%s", strings.Join(signed, ";"), hash)
	return b.String()
}

// folded is a header's value with each run of blanks as one space, and none at its ends.
func folded(value string) string {
	return strings.Join(strings.FieldsFunc(value, func(c rune) bool { return c == ' ' || c == '\t' }), " ")
}

// canonicalQuery decodes, encodes and sorts a query's parameters.
func canonicalQuery(query string) string {
	type parameter struct{ name, value string }
	var all []parameter
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		all = append(all, parameter{encoded(decoded(name), false), encoded(decoded(value), false)})
	}
	slices.SortFunc(all, func(a, b parameter) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	pairs := make([]string, len(all))
	for i, p := range all {
		pairs[i] = p.name + "=" + p.value
	}
	return strings.Join(pairs, "&")
}

// encoded is s with every byte but the unreserved ones as %XX; slashes too unless they are kept. A path is
// encoded as it stands on the wire, and so a second time.
func encoded(s string, slashes bool) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', strings.IndexByte("-_.~", c) >= 0, c == '/' && slashes:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if slashes && b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// decoded is s with every %XX as the byte it stands for. Whatever is no such thing stays.
func decoded(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.WriteByte(c[0])
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// normalised is a path without dot segments and empty ones.
func normalised(path string) string {
	var kept []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, segment)
		}
	}
	clean := "/" + strings.Join(kept, "/")
	if len(kept) > 0 && (strings.HasSuffix(path, "/") || strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..")) {
		clean += "/"
	}
	return clean
}
