package envelope

// An Edit replaces a part of a text.
type Edit struct {
	// From and To are where the part begins and ends. Where they are the same the edit inserts.
	From, To int

	// With is what takes its place.
	With []byte
}

// Splice appends text to dst with edits, which are in the order of the text and do not overlap. Every byte
// outside them is as it was.
func Splice(dst, text []byte, edits ...Edit) []byte {
	at := 0
	for _, e := range edits {
		dst = append(append(dst, text[at:e.From]...), e.With...)
		at = e.To
	}
	return append(dst, text[at:]...)
}

// Replace is the edit that puts a value in the place of v.
func (v Value) Replace(with []byte) Edit { return Edit{v.from, v.to, with} }

// Append is the edit that puts members, as they stand between the braces of an object, or elements, as they stand
// between the brackets of an array, after those that v has. There is at least one.
func (v Value) Append(with []byte) Edit {
	end := v.from + 1
	for _, value := range v.Members() {
		end = value.to
	}
	for value := range v.Elements() {
		end = value.to
	}
	if end == v.from+1 {
		return Edit{end, end, with}
	}
	return Edit{end, end, append([]byte{','}, with...)}
}

// Without are the edits that take members out of an object, or elements out of an array: those that drop says so
// of. Key is the zero Value for elements. What stays keeps its bytes.
func (v Value) Without(drop func(key, value Value) bool) []Edit {
	var edits []Edit
	kept, end, open := false, 0, -1 // open: an edit that waits to know where the next begins
	each := func(key, value Value) {
		from := value.from
		if key.text != nil {
			from = key.from
		}
		if open >= 0 {
			edits[open].To, open = from, -1
		}
		switch {
		case !drop(key, value):
			kept = true
		case kept:
			edits = append(edits, Edit{From: end, To: value.to})
		default: // nothing stays before it: the comma that goes is the one after it
			open = len(edits)
			edits = append(edits, Edit{From: from, To: value.to})
		}
		end = value.to
	}
	for key, value := range v.Members() {
		each(key, value)
	}
	for value := range v.Elements() {
		each(Value{}, value)
	}
	return edits
}

// AppendText appends a string as JSON, for a value or a key.
func AppendText(dst []byte, s string) []byte { return appendJSON(dst, s) }

// AppendMember appends a key and its value, as they stand in an object.
func AppendMember(dst []byte, key string, value []byte) []byte {
	return append(append(AppendText(dst, key), ':'), value...)
}
