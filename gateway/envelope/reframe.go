package envelope

import "bytes"

// Reframe appends the event to dst with other data. Its other lines (event, id, retry, comments, and what is not
// known) keep their bytes and their order; the data stands where its first data line stood, in the manner of that
// one. It must have had data.
func (e Event) Reframe(dst, data []byte) []byte {
	dst = append(dst, e.Raw[:e.lead]...)
	for rest, placed := e.Raw[e.lead:], false; len(rest) > 0; {
		line, ending, after := cutLine(rest)
		rest = after
		name, value, found := bytes.Cut(line, []byte(":"))
		if string(name) != "data" {
			dst = append(append(dst, line...), ending...)
			continue
		}
		if placed {
			continue
		}
		placed = true
		field := "data:"
		if !found || bytes.HasPrefix(value, []byte(" ")) {
			field = "data: "
		}
		for text := data; ; {
			part, more, again := bytes.Cut(text, []byte("\n"))
			dst = append(append(append(dst, field...), part...), ending...)
			if text = more; !again {
				break
			}
		}
	}
	return dst
}

// cutLine is the first line of b, how it ends (CR, LF, both, or nothing), and what follows.
func cutLine(b []byte) (line, ending, rest []byte) {
	at := lineBreak(b)
	if at < 0 {
		return b, nil, nil
	}
	end := at + 1
	if b[at] == '\r' && end < len(b) && b[end] == '\n' {
		end++
	}
	return b[:at], b[at:end], b[end:]
}
