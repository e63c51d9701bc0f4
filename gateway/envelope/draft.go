package envelope

import "strconv"

// The objects whose keys are looked at.
const (
	top = iota
	inParams
	inMeta
	inResult
	inError
	levels
)

// A draft is what has been seen of a message so far.
type draft struct {
	jsonrpc, id, method              token // as they stand, nil if absent
	name, uri, version               token
	metaVersion, parent, state, code token
	answered, failed, toolError      bool
	twice                            bool           // there is more than one id
	seen                             [levels]uint16 // which keys
	odd                              [levels]bool   // where a key stands twice or in another case
	folded                           string         // the first key that stands in another case
	refusal                          string         // why it is no message, whatever else it says
}

// key is which of names a key is, "" for any other. One that was there before, or that is one of names but
// for its case, makes its level odd.
func (d *draft) key(level int, key token, names ...string) string {
	for i, name := range names {
		exactly, folded := key.spells(name)
		if folded {
			d.odd[level] = true
			if d.folded == "" {
				d.folded = name
			}
		}
		if !exactly {
			continue
		}
		if d.seen[level]&(1<<i) != 0 {
			d.odd[level] = true
			d.twice = d.twice || name == "id" && level == top
		}
		d.seen[level] |= 1 << i
		return name
	}
	return ""
}

// takeID and takeMethod keep a value that may be what its key says, and refuse the message for another.
func (d *draft) takeID(id token) {
	if !id.isString() && !id.isNumber() && !id.isNull() {
		d.refusal = "an id is a string, a number or null"
	}
	d.id = id
}

func (d *draft) takeMethod(method token) {
	if !method.isString() {
		d.refusal = "a method is a string"
	}
	d.method = method
}

// message is the finished draft, or why it is none.
func (d *draft) message() (Message, error) {
	m := Message{Strict: d.odd == [levels]bool{}}
	if !d.twice {
		m.ID = d.id
	}
	switch {
	case d.refusal != "":
		return Message{}, &Refusal{What: d.refusal}
	case d.method != nil && d.id != nil:
		m.Kind = Request
	case d.method != nil:
		m.Kind = Notification
	case d.failed, d.answered && d.id != nil:
		m.Kind = Response
		d.answer(&m)
		return m, nil
	case d.answered:
		return Message{}, &Refusal{What: "a result has an id"}
	default:
		return Message{}, &Refusal{What: "a message has a method, a result or an error"}
	}
	if asked := d.request(m); asked.Strict {
		return asked, nil
	}
	m.Strict = false
	return m, nil
}

// answer fills in what a response says, as far as every parser reads it so.
func (d *draft) answer(m *Message) {
	if d.odd[top] {
		return
	}
	m.IsError = d.failed
	if !d.odd[inResult] {
		m.ToolError = d.toolError
	}
	if !d.odd[inError] && d.code.isNumber() {
		m.Code, _ = strconv.Atoi(string(d.code))
	}
}

// request is m with what it asks for. It is not strict if one of its names is unsound.
func (d *draft) request(m Message) Message {
	take := func(t token) string {
		s, sound := t.text()
		m.Strict = m.Strict && sound
		return s
	}
	m.Method, m.Version = take(d.method), take(d.metaVersion)
	m.Traceparent, m.Tracestate = take(d.parent), take(d.state)
	switch m.Method {
	case "tools/call", "prompts/get":
		m.Name = take(d.name)
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		m.Name = take(d.uri)
	case "initialize":
		if m.Version == "" {
			m.Version = take(d.version)
		}
	}
	return m
}
