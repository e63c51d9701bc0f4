package envelope

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// ReadStrict reads a message that every JSON parser reads alike, for a route where something is decided by what
// a message says. What one parser takes for another message than the next, or not at all, is a *Refusal: a key
// that stands twice in one object, wherever that is, after its escapes; a key that is one of this package's but
// for its case; half a surrogate pair; bytes that are not UTF-8; a byte order mark; something after the message;
// more than 128 levels; and what the protocol's own readers make different things of.
func ReadStrict(body []byte) (Message, error) {
	s := scanner{in: body, strict: true}
	m, err := s.document()
	if _, bad := err.(*SyntaxError); bad {
		return Message{}, err
	}
	if s.differs != "" {
		return Message{}, &Refusal{What: s.differs}
	}
	return m, err
}

// A position is where something stands in a text. It has no more than 32 bits, for there are many.
type position struct{ from, to uint32 }

// differ notes that parsers disagree, and keeps the first reason.
func (s *scanner) differ(why string) {
	s.unsound = s.unsound || why != ""
	if s.strict && s.differs == "" {
		s.differs = why
	}
}

// paired notes half a surrogate pair: the escape at start, which was gone over, is one of a pair's.
func (s *scanner) paired(start int) {
	first := hex4(s.in[start+2:])
	switch {
	case start == s.second: // of the pair whose first was just before
	case pair(first, s.in[s.pos:]) != utf8.RuneError:
		s.second = s.pos
	default:
		s.differ("it has half a surrogate pair")
	}
}

// note keeps a key of the object that is open.
func (s *scanner) note(key token) {
	if s.strict {
		s.keys = append(s.keys, position{uint32(s.key), uint32(s.key + len(key))})
	}
}

// distinct looks for a key that stands twice in the object that ends, whose keys are those from first on.
func (s *scanner) distinct(first int) {
	if !s.strict {
		return
	}
	keys := s.keys[first:]
	s.keys = s.keys[:first]
	if len(keys) < 2 || s.differs != "" {
		return
	}
	slices.SortFunc(keys, func(a, b position) int { return compare(s.at(a), s.at(b)) })
	for i, key := range keys[1:] {
		if compare(s.at(keys[i]), s.at(key)) == 0 {
			text, _ := s.at(key).text()
			s.differ(fmt.Sprintf("the key %.80q stands twice", text))
			return
		}
	}
}

func (s *scanner) at(p position) token { return token(s.in[p.from:p.to]) }

// compare compares what two keys stand for.
func compare(a, b token) int {
	if bytes.IndexByte(a, '\\') < 0 && bytes.IndexByte(b, '\\') < 0 {
		return bytes.Compare(a[1:len(a)-1], b[1:len(b)-1])
	}
	x, _ := a.text()
	y, _ := b.text()
	return bytes.Compare([]byte(x), []byte(y))
}

// doubt is why the protocol's readers may make different things of the message m that d is, "" if they do not.
func (d *draft) doubt(m Message) string {
	const result, failure = 1 << 4, 1 << 5 // of what key names them
	version, _ := d.jsonrpc.text()
	switch {
	case d.folded != "":
		return fmt.Sprintf("a key is %q but for its case", d.folded)
	case version != "2.0":
		return `jsonrpc is not "2.0"`
	case d.method != nil && d.seen[top]&(result|failure) != 0:
		return "it both asks and answers"
	case d.id != nil && !d.id.identifies(), d.id == nil && m.Kind == Response:
		return "an id is a string or a whole number of 64 bits"
	case d.failed && !d.code.isWhole():
		return "error.code is no whole number of 64 bits"
	case d.method != nil && m.Method == "":
		return "the method is empty"
	}
	switch m.Method {
	case "tools/call", "prompts/get":
		if !d.name.isString() {
			return "params.name is no string"
		}
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		if !d.uri.isString() {
			return "params.uri is no string"
		}
	}
	return ""
}

// identifies reports whether t is an id as every implementation has it.
func (t token) identifies() bool {
	return t.isString() || t.isWhole()
}

// isWhole reports whether t is a number of 64 bits, written as one.
func (t token) isWhole() bool {
	_, err := strconv.ParseInt(string(t), 10, 64)
	return err == nil
}
