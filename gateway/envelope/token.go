package envelope

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// longestKey is more than any key that is looked for, and any variant of one, takes.
const longestKey = 64

// A token is a value, or a key, as it stands in a body that was found valid.
type token []byte

// isString and isNull tell what a token is.
func (t token) isString() bool { return len(t) > 0 && t[0] == '"' }
func (t token) isNull() bool   { return len(t) > 0 && t[0] == 'n' }

// isNumber reports whether t is one.
func (t token) isNumber() bool { return len(t) > 0 && (t[0] == '-' || t[0] >= '0' && t[0] <= '9') }

// text is the string that t stands for, "" for anything but a string. It is not sound where t holds half a
// surrogate pair: one parser replaces it, the next keeps it, the third refuses it.
func (t token) text() (s string, sound bool) {
	if !t.isString() {
		return "", true
	}
	inner := t[1 : len(t)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), true
	}
	text, sound := unescape(make([]byte, 0, len(inner)), inner, len(inner))
	return string(text), sound
}

// spells reports whether a key is name, or else is name but for the case of its letters.
func (t token) spells(name string) (exactly, folded bool) {
	word := []byte(t[1 : len(t)-1])
	if len(word) < len(name) {
		return false, false
	}
	var room [longestKey + utf8.UTFMax]byte
	if bytes.IndexByte(word, '\\') >= 0 {
		word, _ = unescape(room[:0], word, longestKey)
	}
	if string(word) == name {
		return true, false
	}
	return false, bytes.EqualFold(word, []byte(name))
}

// unescape appends what the inside of a string stands for, up to limit bytes or one rune more.
func unescape(dst, in []byte, limit int) (text []byte, sound bool) {
	sound = true
	for len(in) > 0 && len(dst) < limit {
		if in[0] != '\\' {
			dst, in = append(dst, in[0]), in[1:]
			continue
		}
		if in[1] != 'u' {
			dst, in = append(dst, control(in[1])), in[2:]
			continue
		}
		r := hex4(in[2:])
		in = in[6:]
		if utf16.IsSurrogate(r) {
			if r = pair(r, in); r == utf8.RuneError {
				sound = false
			} else {
				in = in[6:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, sound
}

// pair is what first and the escape that in begins with stand for together, or utf8.RuneError.
func pair(first rune, in []byte) rune {
	if len(in) < 6 || in[0] != '\\' || in[1] != 'u' {
		return utf8.RuneError
	}
	return utf16.DecodeRune(first, hex4(in[2:]))
}

// control is what a backslash and c stand for.
func control(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// hex4 is the value of four hexadecimal digits.
func hex4(digits []byte) (r rune) {
	for _, c := range digits[:4] {
		switch {
		case c >= 'a':
			c -= 'a' - 10
		case c >= 'A':
			c -= 'A' - 10
		default:
			c -= '0'
		}
		r = r<<4 | rune(c)
	}
	return r
}
