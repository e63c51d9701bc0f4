package telemetry

import (
	"net"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
)

const (
	// maxWord is how much is told of what a client or an upstream may make as long as it likes.
	maxWord = 1 << 10

	// maxArguments is how much is told of a tool's arguments.
	maxArguments = 4 << 10
)

// A Message is what is told of an inbound message when its span begins.
type Message struct {
	// Route and Snapshot say what served it.
	Route    string
	Snapshot uint64

	// Caller is the name of the key it came with. Empty when callers have none.
	Caller string

	// Remote is the client's address, host:port.
	Remote string

	// Method is the JSON-RPC method; "response" or "batch" for messages without one, else the HTTP method.
	Method string

	// Name is the tool, prompt or resource it is about. Empty when there is none or it is ambiguous.
	Name string

	// ID is the request's id as it stands in the body. Nil for messages without one.
	ID []byte

	// Version is the protocol revision, and Session the session id, of the headers.
	Version, Session string

	// Traceparent and Tracestate are those of params._meta; they win over the headers'.
	Traceparent, Tracestate string

	// Size is the length of the body.
	Size int

	// Arguments are a tool's, as they stand in the body. They are told of a call only when Recorder.Capture says so.
	Arguments []byte
}

// spanName is "{method} {target}"; a resource's URI is no target, by the conventions.
func (m Message) spanName() string {
	if m.Name == "" || m.isResource() {
		return word(m.Method)
	}
	return word(m.Method) + " " + word(m.Name)
}

func (m Message) isResource() bool {
	switch m.Method {
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		return true
	}
	return false
}

// target is what metrics tell of Name: that of a tool or a prompt.
func (m Message) target() string {
	if m.Method == "tools/call" || m.Method == "prompts/get" {
		return m.Name
	}
	return ""
}

// session is the id, if the client's revision has sessions.
func (m Message) session() string {
	if m.Version < sessionless {
		return m.Session
	}
	return ""
}

// attributes appends those that a call's SERVER and CLIENT spans share.
func (m Message) attributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	attrs = append(attrs,
		attribute.String(keyRoute, m.Route),
		attribute.String(keyMethod, word(m.Method)),
		attribute.String(keyTransport, "tcp"),
		attribute.String(keyProtocol, "http"))
	if len(m.ID) != 0 && string(m.ID) != "null" {
		attrs = append(attrs, attribute.String(keyRequestID, word(unquote(m.ID))))
	}
	if m.Version != "" {
		attrs = append(attrs, attribute.String(keyProtocolVersion, word(m.Version)))
	}
	if session := m.session(); session != "" {
		attrs = append(attrs, attribute.String(keySession, word(session)))
	}
	switch {
	case m.Name == "":
	case m.Method == "tools/call":
		attrs = append(attrs, attribute.String(keyTool, word(m.Name)), attribute.String(keyOperation, "execute_tool"))
	case m.Method == "prompts/get":
		attrs = append(attrs, attribute.String(keyPrompt, word(m.Name)))
	case m.isResource():
		attrs = append(attrs, attribute.String(keyResource, word(m.Name)))
	}
	if m.Size != 0 {
		attrs = append(attrs, attribute.Int(keyAsked, m.Size))
	}
	return attrs
}

// origin appends the attributes of the SERVER span alone.
func (m Message) origin(attrs []attribute.KeyValue) []attribute.KeyValue {
	attrs = append(attrs, attribute.Int64(keySnapshot, int64(m.Snapshot)))
	if m.Caller != "" {
		attrs = append(attrs, attribute.String(keyCaller, m.Caller))
	}
	host, port, err := net.SplitHostPort(m.Remote)
	if err != nil {
		return attrs
	}
	attrs = append(attrs, attribute.String(keyClient, host))
	if n, err := strconv.Atoi(port); err == nil {
		attrs = append(attrs, attribute.Int(keyClientPort, n))
	}
	return attrs
}

// unquote is an id as the attribute holds it: a string without its quotes, a number as it stands.
func unquote(id []byte) string {
	if id[0] != '"' {
		return string(id)
	}
	if s, err := strconv.Unquote(string(id)); err == nil {
		return s
	}
	return string(id)
}

// word is what is told of a word that is not ours: not too long, and UTF-8, without which a collector takes
// nothing of the batch it is in.
func word(s string) string { return cut(s, maxWord) }

// cut is the beginning of s, in UTF-8.
func cut(s string, limit int) string {
	if len(s) <= limit && utf8.ValidString(s) {
		return s
	}
	if len(s) > limit {
		s = s[:limit]
		for i := 1; i < utf8.UTFMax && i <= len(s); i++ { // a letter that was cut in two
			if first := s[len(s)-i]; utf8.RuneStart(first) {
				if !utf8.FullRuneInString(s[len(s)-i:]) {
					s = s[:len(s)-i]
				}
				break
			}
		}
		s += "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
