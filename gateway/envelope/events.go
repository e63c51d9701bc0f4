package envelope

import (
	"bytes"
	"errors"
	"io"
)

// ErrEventTooLarge says that an event is longer than a reader's limit.
var ErrEventTooLarge = errors.New("the event is too large")

// keptBuffer is how much room a reader keeps between events.
const keptBuffer = 4 << 10

// An Event is one event of a stream, by the WHATWG's definition. Raw is all of it, with the blank line that
// ends it; Data is its data lines joined. Both are valid until the next event is read.
type Event struct {
	Raw, Data []byte

	// Type and ID are its event and id fields. HasID tells an empty id from none.
	Type, ID string
	HasID    bool
}

// Events reads a stream event by event. It returns each as soon as its blank line is there.
type Events struct {
	from    io.Reader
	max     int
	buffer  []byte // what was read and not yet returned, from start on
	start   int
	scanned int // where the next line begins, counted from start
	err     error
}

// NewEvents makes a reader that refuses events longer than max bytes.
func NewEvents(r io.Reader, max int) *Events { return &Events{from: r, max: max} }

// Next is the next event. The error is io.EOF where the stream ended after a whole event,
// io.ErrUnexpectedEOF where it ended inside one, ErrEventTooLarge, or the reader's.
func (e *Events) Next() (Event, error) {
	e.compact()
	for {
		if n := e.whole(); n > 0 {
			raw := e.buffer[e.start : e.start+n]
			e.start += n
			return parse(raw), nil
		}
		if len(e.buffer)-e.start > e.max {
			return Event{}, ErrEventTooLarge
		}
		if e.err != nil {
			return Event{}, e.ending()
		}
		e.fill()
	}
}

// ending is the error that ended the stream, as its caller sees it.
func (e *Events) ending() error {
	if errors.Is(e.err, io.EOF) && len(e.buffer) > e.start {
		return io.ErrUnexpectedEOF
	}
	return e.err
}

// compact lets go of what was returned.
func (e *Events) compact() {
	rest := e.buffer[e.start:]
	if cap(e.buffer) > 16*keptBuffer && len(rest) < keptBuffer {
		e.buffer = append(make([]byte, 0, keptBuffer), rest...)
	} else {
		e.buffer = append(e.buffer[:0], rest...)
	}
	e.start, e.scanned = 0, 0
}

// fill reads once.
func (e *Events) fill() {
	if cap(e.buffer)-len(e.buffer) < keptBuffer/2 {
		e.buffer = append(make([]byte, 0, max(keptBuffer, 2*cap(e.buffer))), e.buffer...)
	}
	n, err := e.from.Read(e.buffer[len(e.buffer):cap(e.buffer)])
	e.buffer = e.buffer[:len(e.buffer)+n]
	e.err = err
}

// whole is the length of the event at start, or 0 if its blank line is not there yet. A line ends with LF,
// CR, or both; a CR at the very end of what was read ends its line at once, and an LF that then follows
// belongs to it.
func (e *Events) whole() int {
	b := e.buffer[e.start:]
	for {
		i := bytes.IndexAny(b[e.scanned:], "\r\n")
		if i < 0 {
			return 0
		}
		end := e.scanned + i + 1
		if b[end-1] == '\r' && end < len(b) && b[end] == '\n' {
			end++
		}
		e.scanned = end
		if i == 0 {
			e.scanned = 0
			return end
		}
	}
}

// parse takes an event's fields.
func parse(raw []byte) Event {
	e := Event{Raw: raw}
	var data [][]byte
	for rest := raw; len(rest) > 0; {
		line := rest
		if i := bytes.IndexAny(rest, "\r\n"); i >= 0 {
			line = rest[:i]
			rest = bytes.TrimPrefix(bytes.TrimPrefix(rest[i:], []byte("\r")), []byte("\n"))
		} else {
			rest = nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "data":
			data = append(data, value)
		case "event":
			e.Type = string(value)
		case "id":
			e.ID, e.HasID = string(value), true
		}
	}
	switch len(data) {
	case 0:
	case 1:
		e.Data = data[0]
	default:
		e.Data = bytes.Join(data, []byte("\n"))
	}
	return e
}

// AppendEvent appends an event that holds a message. The message must have no line breaks.
func AppendEvent(dst, message []byte) []byte {
	dst = append(dst, "event: message\ndata: "...)
	return append(append(dst, message...), "\n\n"...)
}
