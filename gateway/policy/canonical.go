package policy

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"signet/gateway/envelope"
)

// appendCanonical appends a value as RFC 8785 has it, so that two texts of the same value are the same bytes: without
// white space, keys in the order of their UTF-16, strings and numbers in one spelling. Other than there an integer
// keeps all its digits, or two that differ beyond 2^53 would be one. The value is one that envelope.Parse took.
func appendCanonical(dst []byte, v envelope.Value) []byte {
	switch {
	case v.IsObject():
		return appendObject(dst, v)
	case v.IsArray():
		dst = append(dst, '[')
		first := true
		for element := range v.Elements() {
			if !first {
				dst = append(dst, ',')
			}
			dst, first = appendCanonical(dst, element), false
		}
		return append(dst, ']')
	case v.IsString():
		return appendString(dst, v.Text())
	}
	return appendScalar(dst, string(v.Raw()))
}

func appendObject(dst []byte, v envelope.Value) []byte {
	type member struct {
		order []uint16
		key   string
		value envelope.Value
	}
	var all []member
	for key, value := range v.Members() {
		text := key.Text()
		all = append(all, member{utf16.Encode([]rune(text)), text, value})
	}
	slices.SortFunc(all, func(a, b member) int { return slices.Compare(a.order, b.order) })
	dst = append(dst, '{')
	for i, m := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCanonical(append(appendString(dst, m.key), ':'), m.value)
	}
	return append(dst, '}')
}

// appendString appends a string with no escape that is not needed.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		short := strings.IndexRune("\b\t\n\f\r\"\\", r)
		switch {
		case short >= 0:
			dst = append(dst, '\\', `btnfr"\`[short])
		case r < ' ':
			dst = append(dst, `\u00`...)
			dst = append(dst, "0123456789abcdef"[r>>4], "0123456789abcdef"[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// appendScalar appends a number, true, false or null. A number is as JavaScript writes it, which is how encoding/json
// does. One that is beyond a float64 stays as it is.
func appendScalar(dst []byte, text string) []byte {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil: // beyond a float64, or no number
		return append(dst, text...)
	case f == 0:
		return append(dst, '0')
	case !strings.ContainsAny(text, ".eE"):
		return append(dst, text...)
	}
	number, err := json.Marshal(f)
	if err != nil {
		panic(err) // it is finite
	}
	return append(dst, number...)
}
