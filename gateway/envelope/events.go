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

// An Event is one event of a stream, by the WHATWG's definition. Its bytes are valid until the next event
// is read.
type Event struct {
	// Raw is all of it, with the blank line that ends it; Data is its data lines joined.
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
	scanned int  // where the next line begins, counted from start
	cut     bool // the last event ended with a CR, and what follows was not there yet
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
			if string(e.buffer[e.start:]) == "\n" && e.scanned == 1 {
				e.start++
				return Event{Raw: e.buffer[e.start-1 : e.start]}, nil // the rest of the last blank line
			}
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
// CR, or both. A CR that is the last byte so far ends a blank line at once; whether an LF of the same line
// follows is seen with the next event.
func (e *Events) whole() int {
	b := e.buffer[e.start:]
	if e.cut && len(b) > 0 {
		e.cut = false
		if b[0] == '\n' {
			e.scanned = 1
		}
	}
	for {
		i := bytes.IndexAny(b[e.scanned:], "\r\n")
		if i < 0 {
			return 0
		}
		end := e.scanned + i + 1
		last := end == len(b)
		if b[end-1] == '\r' && !last && b[end] == '\n' {
			end++
		}
		if i == 0 {
			e.cut = b[end-1] == '\r' && last
			e.scanned = 0
			return end
		}
		if b[end-1] == '\r' && last {
			return 0 // an LF may follow; until it does or does not, this is no line
		}
		e.scanned = end
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
