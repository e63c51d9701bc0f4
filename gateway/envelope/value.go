package envelope

import (
	"bytes"
	"errors"
	"hash/maphash"
	"iter"
)

// A Value is one value of a JSON text and where it stands there. The zero Value is none: it has no members and
// no elements. Values are found anew each time they are asked for, and nothing is decoded but what is asked for.
type Value struct {
	text     []byte
	from, to int
}

// Parse is the value that a text is. The error is a *SyntaxError where it is not JSON, and a *Refusal where parsers
// read it differently, as ReadStrict has it.
func Parse(text []byte) (Value, error) {
	s := scanner{in: text, strict: true, census: census{seed: maphash.MakeSeed()}}
	if err := s.whole(); err != nil {
		return Value{}, err
	}
	if s.differs != "" {
		return Value{}, &Refusal{What: s.differs}
	}
	return ValueOf(text), nil
}

// ValueOf is the value that a text is, which Read, ReadStrict or Parse has taken. Of a key that stands twice in it
// the first is found.
func ValueOf(text []byte) Value {
	s := scanner{in: text}
	s.mark()
	return s.next()
}

// next goes over a value and is where it stands.
func (s *scanner) next() Value {
	s.space()
	from := s.pos
	if _, err := s.value(); err != nil {
		return Value{}
	}
	return Value{text: s.in, from: from, to: s.pos}
}

// Span is where the value begins in its text, and where it ends.
func (v Value) Span() (from, to int) { return v.from, v.to }

// Raw is the value as it stands. It is a part of the text.
func (v Value) Raw() []byte { return v.text[v.from:v.to:v.to] }

// Exists reports whether there is one at all.
func (v Value) Exists() bool { return v.to > v.from }

// IsObject reports whether it is an object.
func (v Value) IsObject() bool { return v.begins('{') }

// IsArray reports whether it is an array.
func (v Value) IsArray() bool { return v.begins('[') }

// IsString reports whether it is a string.
func (v Value) IsString() bool { return v.begins('"') }

// IsNull reports whether it is null.
func (v Value) IsNull() bool { return v.begins('n') }

// IsTrue reports whether it is true.
func (v Value) IsTrue() bool { return v.begins('t') }

func (v Value) begins(c byte) bool { return v.Exists() && v.text[v.from] == c }

// Text is what a string says, "" for any other value.
func (v Value) Text() string {
	text, _ := token(v.Raw()).text()
	return text
}

// Is reports whether v is a string that says text.
func (v Value) Is(text string) bool {
	if !v.IsString() || v.to-v.from-2 < len(text) {
		return false
	}
	inner := v.text[v.from+1 : v.to-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner) == text
	}
	return v.Text() == text
}

// Get is the value of an object's member, the zero Value if there is none.
func (v Value) Get(key string) Value {
	for k, value := range v.Members() {
		if k.Is(key) {
			return value
		}
	}
	return Value{}
}

// errEnough ends a walk that is not to go on.
var errEnough = errors.New("enough")

// Members are an object's keys and values, in their order. Any other value has none.
func (v Value) Members() iter.Seq2[Value, Value] {
	return func(yield func(key, value Value) bool) {
		if !v.IsObject() {
			return
		}
		s := scanner{in: v.text, pos: v.from}
		_ = s.object(func(key token) error {
			if k := (Value{v.text, s.key, s.key + len(key)}); !yield(k, s.next()) {
				return errEnough
			}
			return nil
		})
	}
}

// Elements are an array's, in their order. Any other value has none.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if !v.IsArray() {
			return
		}
		s := scanner{in: v.text, pos: v.from}
		_ = s.array(func() error {
			if !yield(s.next()) {
				return errEnough
			}
			return nil
		})
	}
}
