package envelope

import "bytes"

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
	return d.message()
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
		switch d.key(inParams, key, "name", "uri", "_meta", "protocolVersion") {
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
	return s.within(func(key token) (err error) {
		switch d.key(inMeta, key, "io.modelcontextprotocol/protocolVersion", "traceparent", "tracestate") {
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
