package envelope

import (
	"bytes"
	"fmt"
	"hash/maphash"
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
	s := scanner{in: body, strict: true, census: census{seed: maphash.MakeSeed()}}
	m, err := s.document()
	if _, bad := err.(*SyntaxError); bad {
		return Message{}, err
	}
	if s.differs != "" {
		return Message{}, &Refusal{What: s.differs}
	}
	return m, err
}

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

// A census is the keys of the objects that are open, by their hashes, for there may be a million.
type census struct {
	seed maphash.Seed
	keys []uint64
	room []byte // of a key without its escapes
}

// hash is that of what a key stands for.
func (c *census) hash(key token) uint64 {
	inner := key[1 : len(key)-1]
	if bytes.IndexByte(inner, '\\') >= 0 {
		c.room, _ = unescape(c.room[:0], inner, len(inner))
		inner = c.room
	}
	return maphash.Bytes(c.seed, inner)
}

// note keeps a key of the object that is open.
func (s *scanner) note(key token) {
	if s.strict && s.differs == "" {
		s.census.keys = append(s.census.keys, s.census.hash(key))
	}
}

// distinct looks for a key that stands twice in the object that ends. It began at from, when there were so many keys.
func (s *scanner) distinct(from, keys int) {
	if !s.strict || s.differs != "" {
		return
	}
	own := s.census.keys[keys:]
	s.census.keys = s.census.keys[:keys]
	slices.Sort(own)
	for i := range own {
		if i > 0 && own[i] == own[i-1] {
			s.find(from, own[i])
		}
	}
}

// find looks in the object at from for two keys of that hash that are the same.
func (s *scanner) find(from int, hash uint64) {
	seen := map[string]bool{}
	inside := scanner{in: s.in, pos: from}
	_ = inside.object(func(key token) error {
		if s.census.hash(key) == hash {
			text, _ := key.text()
			if seen[text] {
				s.differ(fmt.Sprintf("the key %.80q stands twice", text))
			}
			seen[text] = true
		}
		_, err := inside.value()
		return err
	})
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
