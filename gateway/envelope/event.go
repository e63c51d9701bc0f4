package envelope

import "bytes"

// An Event is one event of a stream, by the WHATWG's definition, or a comment or blank line between two. Its
// bytes are valid until the next event is read.
type Event struct {
	// Raw is all of it, with the line ends; Data is its data lines joined, nil if there are none.
	Raw, Data []byte

	// Type and ID are its event and id fields. HasID tells an empty id from none.
	Type, ID string
	HasID    bool

	lead int // bytes of Raw before the first line
}

// AppendEvent appends an event that holds a message. The message must have no line breaks.
func AppendEvent(dst, message []byte) []byte {
	dst = append(dst, "event: message\ndata: "...)
	return append(append(dst, message...), "\n\n"...)
}

// parse takes the fields of an event's lines. Data of several lines is put together in room, which is
// returned with what it has grown to.
func (e *Event) parse(lines, room []byte) []byte {
	joined := false
	for len(lines) > 0 {
		end := lineBreak(lines)
		line := lines
		if lines = nil; end >= 0 {
			line, lines = line[:end], line[end+1:]
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			value = line[len(line):]
		}
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "data":
			if e.Data == nil {
				e.Data = value[:len(value):len(value)]
				break
			}
			if !joined {
				room, joined = append(room, e.Data...), true
			}
			room = append(append(room, '\n'), value...)
			e.Data = room
		case "event":
			e.Type = typeName(value)
		case "id":
			if bytes.IndexByte(value, 0) < 0 { // the standard ignores it then
				e.ID, e.HasID = string(value), true
			}
		}
	}
	return room
}

// typeName saves making the one name that nearly all events have.
func typeName(value []byte) string {
	if string(value) == "message" {
		return "message"
	}
	return string(value)
}

// lineBreak is where the first CR or LF of b is, or -1. It looks for both in pieces, so that a stream of
// nothing but one of them is not searched to its end for the other at each line.
func lineBreak(b []byte) int {
	const piece = 1 << 10
	for at := 0; at < len(b); at += piece {
		part := b[at:min(at+piece, len(b))]
		if i := bytes.IndexByte(part, '\n'); i >= 0 {
			part = part[:i]
		}
		if i := bytes.IndexByte(part, '\r'); i >= 0 {
			return at + i
		}
		if len(part) < min(piece, len(b)-at) {
			return at + len(part)
		}
	}
	return -1
}
