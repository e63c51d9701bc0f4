package envelope

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// document reads the whole text.
func (s *scanner) document() (Message, error) {
	if bytes.HasPrefix(s.in, []byte("\xef\xbb\xbf")) {
		return Message{}, s.fail("a byte order mark")
	}
	var m Message
	var err error
	switch s.peek() {
	case '{':
		m, err = s.message()
	case '[':
		m, err = s.batch()
	case 0:
		return Message{}, s.fail("nothing there")
	default:
		if _, err = s.value(); err == nil {
			err = &Refusal{What: "a message is an object"}
		}
	}
	if bad, ok := err.(*SyntaxError); ok {
		return Message{}, bad
	}
	if s.peek() != 0 || s.pos < len(s.in) {
		return Message{}, s.fail("something after the message")
	}
	return m, err
}

// batch reads an array of messages. A refused element refuses the batch, once all of it is checked.
func (s *scanner) batch() (Message, error) {
	m, refused := Message{Kind: Batch, Strict: true}, error(nil)
	err := s.array(func() error {
		if s.peek() != '{' {
			refused = &Refusal{What: "a batch holds messages, which are objects"}
			_, err := s.value()
			return err
		}
		element, err := s.message()
		if _, ok := err.(*Refusal); ok {
			refused, err = err, nil
		}
		m.Strict = m.Strict && element.Strict
		m.Batch = append(m.Batch, element)
		return err
	})
	if err != nil {
		return Message{}, err
	}
	if len(m.Batch) == 0 && refused == nil {
		refused = &Refusal{What: "an empty batch"}
	}
	return m, refused
}

// A draft is what has been seen of a message.
type draft struct {
	id, method, name, uri, version   []byte // texts of values, nil if absent
	metaVersion, parent, state, code []byte
	answered, failed, toolError, odd bool
	level                            [4]uint16 // which keys were seen: message, params, _meta, the answer
}

// once notes a key and reports whether it is one of names, exactly. A key that stands twice, or is one of
// names in another case, makes the draft odd.
func (d *draft) once(level int, key []byte, names ...string) string {
	word := unquoted(key)
	for i, name := range names {
		if word != name {
			if len(word) >= len(name) && strings.EqualFold(word, name) {
				d.odd = true
			}
			continue
		}
		if d.level[level]&(1<<i) != 0 {
			d.odd = true
		}
		d.level[level] |= 1 << i
		return name
	}
	return ""
}

// message reads one object.
func (s *scanner) message() (Message, error) {
	var d draft
	err := s.object(func(key []byte) (err error) {
		switch d.once(0, key, "jsonrpc", "id", "method", "params", "result", "error") {
		case "id":
			d.id, err = s.value()
		case "method":
			d.method, err = s.value()
		case "params":
			err = s.params(&d)
		case "result":
			d.answered = true
			err = s.result(&d)
		case "error":
			err = s.failure(&d)
		default:
			_, err = s.value()
		}
		return err
	})
	if err != nil {
		return Message{}, err
	}
	return d.message()
}

// within reads an object's members, or goes over a value that is none.
func (s *scanner) within(member func(key []byte) error) error {
	if s.peek() == '{' {
		return s.object(member)
	}
	_, err := s.value()
	return err
}

func (s *scanner) params(d *draft) error {
	return s.within(func(key []byte) (err error) {
		switch d.once(1, key, "name", "uri", "_meta", "protocolVersion") {
		case "name":
			d.name, err = s.value()
		case "uri":
			d.uri, err = s.value()
		case "protocolVersion":
			d.version, err = s.value()
		case "_meta":
			err = s.meta(d)
		default:
			_, err = s.value()
		}
		return err
	})
}

func (s *scanner) meta(d *draft) error {
	return s.within(func(key []byte) (err error) {
		switch d.once(2, key, "io.modelcontextprotocol/protocolVersion", "traceparent", "tracestate") {
		case "io.modelcontextprotocol/protocolVersion":
			d.metaVersion, err = s.value()
		case "traceparent":
			d.parent, err = s.value()
		case "tracestate":
			d.state, err = s.value()
		default:
			_, err = s.value()
		}
		return err
	})
}

func (s *scanner) result(d *draft) error {
	return s.within(func(key []byte) error {
		known := d.once(3, key, "isError")
		v, err := s.value()
		if known != "" {
			d.toolError = string(v) == "true"
		}
		return err
	})
}

func (s *scanner) failure(d *draft) error {
	d.failed = s.peek() == '{'
	return s.within(func(key []byte) error {
		known := d.once(3, key, "", "code")
		v, err := s.value()
		if known != "" {
			d.code = v
		}
		return err
	})
}

// message is the finished draft, or why it is none.
func (d *draft) message() (Message, error) {
	m := Message{ID: d.id, Strict: !d.odd}
	if d.id != nil && !isID(d.id) {
		return Message{}, &Refusal{What: "an id is a string, a number or null"}
	}
	switch {
	case d.method != nil && d.method[0] != '"':
		return Message{}, &Refusal{What: "a method is a string"}
	case d.method != nil && d.id != nil:
		m.Kind = Request
	case d.method != nil:
		m.Kind = Notification
	case d.failed || d.answered:
		m.Kind, m.IsError, m.ToolError = Response, d.failed, d.toolError
		m.Code, _ = strconv.Atoi(string(d.code))
		return m, nil
	default:
		return Message{}, &Refusal{What: "a message has a method, a result or an error"}
	}
	if !m.Strict {
		return m, nil
	}
	m.Method = unquoted(d.method)
	m.Version, m.Traceparent, m.Tracestate = unquoted(d.metaVersion), unquoted(d.parent), unquoted(d.state)
	switch m.Method {
	case "tools/call", "prompts/get":
		m.Name = unquoted(d.name)
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		m.Name = unquoted(d.uri)
	case "initialize":
		if m.Version == "" {
			m.Version = unquoted(d.version)
		}
	}
	return m, nil
}

func isID(token []byte) bool {
	c := token[0]
	return c == '"' || c == '-' || c >= '0' && c <= '9' || c == 'n'
}

// unquoted is the string a text stands for; "" for anything but a string.
func unquoted(text []byte) string {
	if len(text) < 2 || text[0] != '"' {
		return ""
	}
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1])
	}
	var s string
	_ = json.Unmarshal(text, &s) // the scanner has checked it
	return s
}
