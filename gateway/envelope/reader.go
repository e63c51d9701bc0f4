package envelope

import "bytes"

// maxBatch is how many messages one body may hold: each takes more room here than it does there.
const maxBatch = 10_000

const byteOrderMark = "\xef\xbb\xbf"

// mark goes over a byte order mark, which some parsers take.
func (s *scanner) mark() {
	if bytes.HasPrefix(s.in, []byte(byteOrderMark)) {
		s.pos = len(byteOrderMark)
		s.differ("it begins with a byte order mark")
	}
}

// end is where the text must end.
func (s *scanner) end() error {
	if s.peek() == 0 && s.pos == len(s.in) {
		return nil
	}
	if s.strict {
		s.differ("something stands after the message")
		return nil
	}
	return s.fail("something after the message")
}

// whole goes over the whole text, whatever it is.
func (s *scanner) whole() error {
	s.mark()
	if _, err := s.value(); err != nil {
		return err
	}
	return s.end()
}

// document reads the whole text.
func (s *scanner) document() (Message, error) {
	s.mark()
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
	if bad := s.end(); bad != nil {
		return Message{}, bad
	}
	if s.unsound {
		m.doubt()
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
		if len(m.Batch) == maxBatch {
			refused = &Refusal{What: "a batch of more than 10000 messages"}
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
	if err == nil && len(m.Batch) == 0 && refused == nil {
		refused = &Refusal{What: "an empty batch"}
	}
	if err == nil {
		err = refused
	}
	if err != nil {
		return Message{}, err
	}
	return m, nil
}

// message reads one object.
func (s *scanner) message() (Message, error) {
	var d draft
	err := s.object(func(key token) error {
		known := d.key(top, key, "jsonrpc", "id", "method", "params", "result", "error")
		switch known {
		case "jsonrpc":
			return s.take(&d.jsonrpc)
		case "params":
			return s.params(&d)
		case "result":
			d.answered = true
			return s.result(&d)
		case "error":
			return s.failure(&d)
		}
		v, err := s.value()
		if err != nil {
			return err
		}
		switch known {
		case "id":
			d.takeID(v)
		case "method":
			d.takeMethod(v)
		}
		return nil
	})
	if err != nil {
		return Message{}, err
	}
	m, err := d.message()
	if err == nil && s.strict {
		s.differ(d.doubt(m))
	}
	return m, err
}

// take goes over a value and keeps it.
func (s *scanner) take(t *token) (err error) {
	*t, err = s.value()
	return err
}

// within reads an object's members, or goes over a value that is none.
func (s *scanner) within(member func(key token) error) error {
	if s.peek() == '{' {
		return s.object(member)
	}
	_, err := s.value()
	return err
}

func (s *scanner) params(d *draft) error {
	return s.within(func(key token) (err error) {
		switch d.key(inParams, key, "name", "uri", "_meta", "protocolVersion", "arguments") {
		case "name":
			err = s.take(&d.name)
		case "uri":
			err = s.take(&d.uri)
		case "protocolVersion":
			err = s.take(&d.version)
		case "_meta":
			err = s.meta(d)
		default:
			_, err = s.value()
		}
		return err
	})
}

func (s *scanner) meta(d *draft) error {
	return s.within(func(key token) (err error) {
		switch d.key(inMeta, key, "io.modelcontextprotocol/protocolVersion", "traceparent", "tracestate") {
		case "io.modelcontextprotocol/protocolVersion":
			err = s.take(&d.metaVersion)
		case "traceparent":
			err = s.take(&d.parent)
		case "tracestate":
			err = s.take(&d.state)
		default:
			_, err = s.value()
		}
		return err
	})
}

func (s *scanner) result(d *draft) error {
	return s.within(func(key token) error {
		known := d.key(inResult, key, "isError")
		v, err := s.value()
		if known != "" {
			d.toolError = string(v) == "true"
		}
		return err
	})
}

func (s *scanner) failure(d *draft) error {
	d.failed = s.peek() == '{'
	return s.within(func(key token) error {
		known := d.key(inError, key, "code")
		v, err := s.value()
		if known != "" {
			d.code = v
		}
		return err
	})
}
