package policy

import (
	"bytes"

	"signet/gateway/envelope"
)

// A List is the tools of one answer to tools/list, as they stand in a message of the upstream's.
type List struct {
	// Tools are the elements of result.tools, in their order.
	Tools []Tool

	// Cursor is the token of result.nextCursor. Nil: this page is the last.
	Cursor []byte

	array envelope.Value
}

// A Tool is one tool of a List.
type Tool struct {
	// Name is the tool's. Empty: it has none that every parser reads the same.
	Name string

	// ReadOnly says that annotations.readOnlyHint is true, whoever reads it.
	ReadOnly bool

	// Drift is how it stands to what was accepted. Whoever has Pins fills it in.
	Drift Drift

	// Value is the tool as it stands.
	Value envelope.Value
}

// Lists are the lists of tools in a body of the upstream's, a message or a batch: every result that has an array of
// tools, whatever it answers. The error says why parsers may find other lists in it, or that it is no message.
func Lists(body []byte) ([]List, error) {
	m, err := envelope.Read(body)
	if err != nil {
		return nil, err
	}
	if !m.Strict {
		return nil, &envelope.Refusal{What: "not every parser reads it the same"}
	}
	v := envelope.ValueOf(body)
	if m.Kind != envelope.Batch {
		return appendList(nil, v)
	}
	var lists []List
	for element := range v.Elements() {
		if lists, err = appendList(lists, element); err != nil {
			return nil, err
		}
	}
	return lists, nil
}

// appendList appends the list that a message has, if it has one.
func appendList(lists []List, message envelope.Value) ([]List, error) {
	found, odd := members(message.Get("result"), "tools", "nextCursor")
	tools, cursor := found[0], found[1]
	if odd {
		return nil, &envelope.Refusal{What: "a key of its result stands twice, or in another case"}
	}
	if !tools.IsArray() {
		return lists, nil
	}
	l := List{array: tools}
	if cursor.IsString() {
		l.Cursor = cursor.Raw()
	}
	for element := range tools.Elements() {
		l.Tools = append(l.Tools, toolOf(element))
	}
	return append(lists, l), nil
}

// toolOf is what a tool says of itself. One that parsers read differently has no name.
func toolOf(v envelope.Value) Tool {
	t := Tool{Value: v}
	found, odd := members(v, "name", "annotations", "inputSchema")
	name, annotations := found[0], found[1]
	hints, oddly := members(annotations, "readOnlyHint")
	t.ReadOnly = hints[0].IsTrue()
	if !odd && !oddly {
		t.Name = name.Text()
	}
	return t
}

// members are the members of an object with those names, at most three. It is odd if one stands twice, or in another
// case.
func members(v envelope.Value, names ...string) (found [3]envelope.Value, odd bool) {
	for key, value := range v.Members() {
		text := key.Raw()[1:]
		text = text[:len(text)-1]
		if bytes.IndexByte(text, '\\') >= 0 {
			text = []byte(key.Text())
		}
		for i, name := range names {
			switch {
			case string(text) == name:
				odd = odd || found[i].Raw() != nil
				found[i] = value
			case bytes.EqualFold(text, []byte(name)):
				odd = true
			}
		}
	}
	return found, odd
}

// Screen appends to edits those that take the tools out of l that are not to be listed, and is l without them.
func (t *Tools) Screen(edits []envelope.Edit, l List) ([]envelope.Edit, List) {
	next, kept := 0, l
	kept.Tools = nil
	edits = append(edits, l.array.Without(func(_, _ envelope.Value) bool {
		tool := l.Tools[next]
		next++
		listed := t.Listed(tool)
		if listed {
			kept.Tools = append(kept.Tools, tool)
		}
		return !listed
	})...)
	return edits, kept
}
