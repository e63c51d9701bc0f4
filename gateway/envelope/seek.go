package envelope

import (
	"bufio"
	"encoding/json"
	"io"
)

// maxID is the longest id that SeekID keeps.
const maxID = 1 << 10

// SeekID reads a body that is too long to hold, to its end or to where it is none, and is the id of the request that it is: its token as
// it stands there. Nil: it is no request, has no id or several, or is not whole. Nothing but the id is held, and
// nothing but the structure is checked: it is for refusing the request, not for passing it on.
func SeekID(body io.Reader) []byte {
	s := seeker{in: bufio.NewReaderSize(body, 32<<10)}
	for {
		b, err := s.in.ReadByte()
		if err != nil {
			break
		}
		if !s.take(b) {
			return nil
		}
	}
	if !s.ended || !s.method || s.ids != 1 || len(s.id) == 0 || len(s.id) > maxID || !json.Valid(s.id) {
		return nil
	}
	return s.id
}

// A seeker goes through a JSON object byte by byte.
type seeker struct {
	in    *bufio.Reader
	depth int
	ended bool

	text, escaped bool   // within a string, and behind a backslash of it
	value         bool   // behind the colon of a member of the outermost object
	key, token    []byte // of that member, as they stand, if they are short

	method bool // it has a method, so it is no answer
	id     []byte
	ids    int
}

// take goes on by a byte, and reports whether this may still be a message.
func (s *seeker) take(b byte) bool {
	switch {
	case s.text:
		s.keep(b)
		s.text = s.escaped || b != '"'
		s.escaped = b == '\\' && !s.escaped
		return true
	case s.depth == 0 && !s.ended && b != '{': // nor white space, of which there might be any amount
		return false
	case b == ' ', b == '\t', b == '\n', b == '\r':
		return true
	case s.ended:
		return false
	}
	switch b {
	case '"':
		s.text = true
	case '{', '[':
		s.depth++
		if s.depth == 1 {
			return true
		}
	case '}', ']':
		s.depth--
		if s.depth == 0 {
			s.member()
			s.ended = true
			return b == '}'
		}
	case ':':
		if s.depth == 1 {
			s.value = true
			return true
		}
	case ',':
		if s.depth == 1 {
			s.member()
			return true
		}
	}
	s.keep(b)
	return true
}

// keep notes a byte of the key or the value of a member of the outermost object, one more than is asked of them.
func (s *seeker) keep(b byte) {
	into := &s.key
	if s.value {
		into = &s.token
	}
	if len(*into) <= maxID {
		*into = append(*into, b)
	}
}

// member ends a member of the outermost object.
func (s *seeker) member() {
	switch string(s.key) {
	case `"method"`:
		s.method = true
	case `"id"`:
		s.ids++
		if first := s.token; len(first) > 0 && (first[0] == '"' || first[0] == '-' || '0' <= first[0] && first[0] <= '9') {
			s.id = append([]byte(nil), first...)
		}
	}
	s.key, s.token, s.value = s.key[:0], s.token[:0], false
}
