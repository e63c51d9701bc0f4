package envelope

import (
	"bytes"
	"errors"
	"io"
)

// ErrEventTooLarge says that an event is longer than a reader's limit.
var ErrEventTooLarge = errors.New("the event is too large")

const (
	keptBuffer = 4 << 10 // how much room a reader keeps between events
	emptyReads = 100     // how often a source may have nothing to say before it is given up
)

// Events reads a stream event by event. It returns each as soon as the blank line that ends it is there. A
// comment or a blank line between events is returned on its own, as soon as its line is there. The bytes of
// a stream alone decide where it is divided, never how they arrive.
type Events struct {
	from io.Reader
	max  int

	buffer []byte
	start  int  // of what was not returned yet; what follows counts from there
	lead   int  // bytes before the event's first line: a byte order mark, or the LF of the last line's CR LF
	line   int  // where the line begins that is not whole yet
	seen   int  // how much has been looked at for the end of that line
	opened bool // the stream's beginning was looked at for a byte order mark
	bare   bool // the last line ended with a CR alone
	cut    bool // the last event ended with a CR, whose LF may follow
	err    error

	joined []byte // an event's data, when it has several lines
}

// NewEvents makes a reader that refuses events longer than max bytes.
func NewEvents(r io.Reader, max int) *Events { return &Events{from: r, max: max} }

// Next is the next event. The error is io.EOF where the stream ended after a whole event,
// io.ErrUnexpectedEOF where it ended inside one, ErrEventTooLarge, or the reader's.
func (e *Events) Next() (Event, error) {
	if cap(e.joined) > 16*keptBuffer {
		e.joined = nil
	}
	for {
		n := e.whole()
		size := n
		if n == 0 {
			size = len(e.buffer) - e.start
		}
		if size > e.max {
			*e = Events{max: e.max, err: ErrEventTooLarge}
			return Event{}, e.err
		}
		if n > 0 {
			return e.take(n), nil
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

// whole is the length of the event at start, or 0 if its end is not there yet.
func (e *Events) whole() int {
	b := e.buffer[e.start:]
	if e.line == 0 && !e.leads(b) {
		return 0
	}
	for {
		end := e.lineEnd(b)
		if end == 0 {
			if e.err != nil && e.lead > 0 && e.lead == len(b) {
				return len(b) // nothing comes after it
			}
			return 0
		}
		first, text := e.line == e.lead, b[e.line:end]
		e.line, e.seen = end, end
		if text[0] == '\r' || text[0] == '\n' || first && text[0] == ':' {
			return end
		}
	}
}

// leads finds what stands before the first line of an event. It reports false until that is known.
func (e *Events) leads(b []byte) bool {
	const mark = byteOrderMark
	switch {
	case len(b) == 0:
		return false
	case e.cut && b[0] == '\n':
		e.lead, e.bare = 1, false
	case !e.opened && len(b) < len(mark) && mark[:len(b)] == string(b):
		return false
	case !e.opened && bytes.HasPrefix(b, []byte(mark)):
		e.lead = len(mark)
	}
	e.opened, e.cut = true, false
	if e.lead > 0 {
		e.line, e.seen = e.lead, e.lead
	}
	return true
}

// lineEnd is where the line at line ends, its LF, CR or both included, or 0 if that is not there yet. An LF
// may follow a CR that is the last byte so far. Only where lines end with a CR alone a blank line is not
// kept waiting for it, or events would be late by one.
func (e *Events) lineEnd(b []byte) int {
	at := lineBreak(b[e.seen:])
	if at < 0 {
		e.seen = len(b)
		return 0
	}
	at += e.seen
	if b[at] == '\n' {
		e.bare = false
		return at + 1
	}
	if e.bare && at == e.line {
		e.cut = true
		return at + 1
	}
	if at+1 == len(b) && e.err == nil {
		e.seen = at
		return 0
	}
	e.bare = at+1 == len(b) || b[at+1] != '\n'
	if e.bare {
		return at + 1
	}
	return at + 2
}

// take takes the event that is the next n bytes.
func (e *Events) take(n int) Event {
	raw := e.buffer[e.start : e.start+n : e.start+n]
	event := Event{Raw: raw, lead: e.lead}
	e.joined = event.parse(raw[e.lead:], e.joined[:0])
	e.start += n
	e.lead, e.line, e.seen = 0, 0, 0
	return event
}

// fill makes room and reads once.
func (e *Events) fill() {
	rest := e.buffer[e.start:]
	switch {
	case cap(e.buffer) > 16*keptBuffer && len(rest) < keptBuffer/2:
		e.buffer = append(make([]byte, 0, keptBuffer), rest...)
	case cap(e.buffer)-len(rest) < keptBuffer/2:
		e.buffer = append(make([]byte, 0, e.room()), rest...)
	case e.start > 0:
		e.buffer = append(e.buffer[:0], rest...)
	}
	e.start = 0
	for range emptyReads {
		n, err := e.from.Read(e.buffer[len(e.buffer):cap(e.buffer)])
		e.buffer = e.buffer[:len(e.buffer)+n]
		if e.err = err; n > 0 || err != nil {
			return
		}
	}
	e.err = io.ErrNoProgress
}

// room is how much a reader takes that needs more. The last step is a large one, since what it grows out of is still
// there: doubled all along, an event of 16 MiB cost 50.
func (e *Events) room() int {
	if next := 2 * cap(e.buffer); next <= e.max/4 {
		return max(keptBuffer, next)
	}
	return max(e.max+keptBuffer, 2*keptBuffer)
}
