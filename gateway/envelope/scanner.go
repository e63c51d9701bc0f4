package envelope

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// maxDepth is how deep arrays and objects may stand in each other: as deep as in encoding/json.
	maxDepth = 10_000

	// strictDepth is how deep where every parser is to follow.
	strictDepth = 128

	// longestNumber is what every parser takes; Python's takes 4300 digits.
	longestNumber = 1000
)

// A scanner goes over a JSON text once (RFC 8259), checking all of it.
type scanner struct {
	in    []byte
	pos   int
	depth int
	key   int // where the last key begins

	unsound bool // some parsers do not take it, whatever it says

	strict  bool   // look for all that parsers read differently
	census  census // when strict
	second  int    // where the second half of a surrogate pair begins whose first was gone over
	differs string // the first of what was found, "" if nothing was
}

func (s *scanner) fail(what string) error { return &SyntaxError{Offset: s.pos, What: what} }

// space skips white space.
func (s *scanner) space() {
	for s.pos < len(s.in) {
		switch s.in[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek is the next byte after white space, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.pos == len(s.in) {
		return 0
	}
	return s.in[s.pos]
}

// value goes over any value and returns its text.
func (s *scanner) value() (token, error) {
	c := s.peek()
	start := s.pos
	var err error
	switch {
	case c == '{':
		err = s.object(func(token) error { _, err := s.value(); return err })
	case c == '[':
		err = s.array(func() error { _, err := s.value(); return err })
	case c == '"':
		_, err = s.text()
	case c == '-' || c >= '0' && c <= '9':
		if err = s.number(); s.pos-start > longestNumber {
			s.differ("a number is longer than 1000 digits")
		}
	default:
		err = s.literal()
	}
	return token(s.in[start:s.pos]), err
}

// object goes over an object; member is called with each key and goes over its value.
func (s *scanner) object(member func(key token) error) error {
	from, keys := s.pos, len(s.census.keys)
	if err := s.enter(); err != nil {
		return err
	}
	if s.peek() == '}' {
		return s.leave()
	}
	for {
		if s.peek() != '"' {
			return s.fail("a key was expected")
		}
		key, err := s.text()
		if err != nil {
			return err
		}
		s.key = s.pos - len(key)
		s.note(key)
		if s.peek() != ':' {
			return s.fail("a colon was expected")
		}
		s.pos++
		if err := member(key); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.pos++
		case '}':
			s.distinct(from, keys)
			return s.leave()
		default:
			return s.fail("a comma or } was expected")
		}
	}
}

// array goes over an array; element goes over each value.
func (s *scanner) array(element func() error) error {
	if err := s.enter(); err != nil {
		return err
	}
	if s.peek() == ']' {
		return s.leave()
	}
	for {
		if err := element(); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.pos++
		case ']':
			return s.leave()
		default:
			return s.fail("a comma or ] was expected")
		}
	}
}

func (s *scanner) enter() error {
	if s.depth++; s.depth > maxDepth {
		return s.fail("nested too deep")
	}
	if s.depth > strictDepth {
		s.differ("it is nested deeper than 128")
	}
	s.pos++
	return nil
}

func (s *scanner) leave() error {
	s.depth--
	s.pos++
	return nil
}

// text goes over a string and returns it with its quotes.
func (s *scanner) text() (token, error) {
	start := s.pos
	s.pos++
	for s.pos < len(s.in) {
		switch c := s.in[s.pos]; {
		case c == '"':
			s.pos++
			return token(s.in[start:s.pos]), nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		case c < ' ':
			return nil, s.fail("a control character in a string")
		case c < utf8.RuneSelf:
			s.pos++
			s.pos += plain(s.in[s.pos:])
		default:
			r, size := utf8.DecodeRune(s.in[s.pos:])
			if r == utf8.RuneError && size == 1 {
				s.differ("it is not UTF-8")
			}
			s.pos += size
		}
	}
	return nil, s.fail("a string does not end")
}

// plain is how many bytes at the start of b are the inside of a string and need no look: ASCII but for
// quotes, backslashes and control characters. It looks at eight at a time and leaves the last of b alone.
func plain(b []byte) (n int) {
	const low, high = 0x0101010101010101, 0x8080808080808080
	for ; len(b)-n >= 8; n += 8 {
		x := binary.LittleEndian.Uint64(b[n:])
		quote, backslash := x^low*'"', x^low*'\\'
		// Taking 1 sets the high bit of a byte that is 0, and taking ' ' that of one below ' '. It may set those
		// of bytes above it too: the lowest one is right.
		if bad := (x | (x - low*' ') | (quote - low) | (backslash - low)) & high; bad != 0 {
			return n + bits.TrailingZeros64(bad)/8
		}
	}
	return n
}

func (s *scanner) escape() error {
	start := s.pos
	if s.pos++; s.pos == len(s.in) {
		return s.fail("a string does not end")
	}
	switch s.in[s.pos] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		return nil
	case 'u':
		s.pos++
		for range 4 {
			if s.pos == len(s.in) || !isHex(s.in[s.pos]) {
				return s.fail("a bad \\u escape")
			}
			s.pos++
		}
		if s.strict && utf16.IsSurrogate(hex4(s.in[start+2:])) {
			s.paired(start)
		}
		return nil
	}
	return s.fail("a bad escape")
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (s *scanner) number() error {
	if s.in[s.pos] == '-' {
		s.pos++
	}
	if s.pos < len(s.in) && s.in[s.pos] == '0' {
		s.pos++
	} else if !s.digits() {
		return s.fail("a bad number")
	}
	if s.pos < len(s.in) && s.in[s.pos] == '.' {
		s.pos++
		if !s.digits() {
			return s.fail("a bad number")
		}
	}
	if s.pos < len(s.in) && (s.in[s.pos] == 'e' || s.in[s.pos] == 'E') {
		s.pos++
		if s.pos < len(s.in) && (s.in[s.pos] == '+' || s.in[s.pos] == '-') {
			s.pos++
		}
		if !s.digits() {
			return s.fail("a bad number")
		}
	}
	return nil
}

// digits goes over digits and reports whether there was one.
func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.in) && s.in[s.pos] >= '0' && s.in[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) literal() error {
	for _, word := range [...]string{"null", "true", "false"} {
		if bytes.HasPrefix(s.in[s.pos:], []byte(word)) {
			s.pos += len(word)
			return nil
		}
	}
	return s.fail("a value was expected")
}
