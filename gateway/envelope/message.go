// Package envelope reads strictly what a message asks for, writes JSON-RPC errors, and frames event streams.
//
// It never changes a byte of what it reads, and builds no values: a message is looked at, not decoded.
package envelope

// A Kind is what a message is.
type Kind int

// The kinds of JSON-RPC messages. The zero Kind is no message.
const (
	Request Kind = iota + 1
	Notification
	Response
	Batch
)

// A Message is what one JSON-RPC body says, as far as a gateway needs it. Its ID is a part of the body.
type Message struct {
	// Kind is what the message is.
	Kind Kind

	// ID is the id's token as it stands in the body. Nil: there is none, or there are several.
	ID []byte

	// Method is the JSON-RPC method. Empty for responses and batches.
	Method string

	// Name is params.name of tools/call and prompts/get, or params.uri of the resources methods.
	Name string

	// Version is the protocol revision the body names: in params._meta, or, for initialize, in params.
	Version string

	// Traceparent and Tracestate are those of params._meta.
	Traceparent, Tracestate string

	// IsError says that a response has an error, and Code is its code.
	IsError bool
	Code    int

	// ToolError says that a response's result has isError.
	ToolError bool

	// Batch are the elements of a batch.
	Batch []Message

	// Strict says that every parser reads the message as it is read here: no key this package looks at
	// stands twice or in another case, no name has half a surrogate pair, and all of it is UTF-8, without a
	// byte order mark, and at most 128 levels deep. What is not strict may pass, but tells nothing more than
	// its kind, its id, and what of an answer is beyond doubt.
	Strict bool
}

// doubt takes back what parsers may read differently.
func (m *Message) doubt() {
	m.Strict = false
	m.Method, m.Name, m.Version, m.Traceparent, m.Tracestate = "", "", "", "", ""
	for i := range m.Batch {
		m.Batch[i].doubt()
	}
}

// Read reads a message and checks all of body, for a route that passes on what any parser takes. The error is a
// *SyntaxError where it is not JSON, and a *Refusal where it is JSON but not a JSON-RPC message.
func Read(body []byte) (Message, error) {
	s := scanner{in: body}
	m, err := s.document()
	if err != nil {
		return Message{}, err
	}
	return m, nil
}
