package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"signet/gateway/envelope"
)

// fields are what of a tool is pinned: what a model or its user relies on. In this order they are compared.
func fields() []string {
	return []string{"name", "title", "description", "inputSchema", "outputSchema", "annotations"}
}

// A Definition is what of a tool is pinned.
type Definition struct {
	// Text is it as canonical JSON, and Hash the SHA-256 of that in hexadecimal digits.
	Text []byte
	Hash string
}

// Define is the definition of a tool as it stands. The error says why parsers may read it differently.
func Define(tool []byte) (Definition, error) {
	v, err := envelope.Parse(tool)
	if err != nil {
		return Definition{}, err
	}
	text := []byte{'{'}
	for _, field := range slices.Sorted(slices.Values(fields())) {
		value := v.Get(field)
		if value.Raw() == nil {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = appendCanonical(append(appendString(text, field), ':'), value)
	}
	text = append(text, '}')
	sum := sha256.Sum256(text)
	return Definition{Text: text, Hash: hex.EncodeToString(sum[:])}, nil
}

// ChangedFields are the names of what two definitions differ in.
func ChangedFields(before, after []byte) []string {
	var changed []string
	was, is := envelope.ValueOf(before), envelope.ValueOf(after)
	for _, field := range fields() {
		old, now := was.Get(field), is.Get(field)
		if (old.Raw() == nil) != (now.Raw() == nil) || old.Raw() != nil && string(appendCanonical(nil, old)) != string(appendCanonical(nil, now)) {
			changed = append(changed, field)
		}
	}
	return changed
}

// Hidden are the characters of a definition that a reader does not see and a model does, each once: tags, marks of
// direction, what has no width.
func Hidden(definition []byte) []string {
	var hidden []string
	for _, r := range string(definition) {
		if !unseen(r) {
			continue
		}
		if name := fmt.Sprintf("U+%04X", r); !slices.Contains(hidden, name) {
			hidden = append(hidden, name)
		}
	}
	return hidden
}

// unseen reports whether r is hidden. A control character other than a line's end is as well.
func unseen(r rune) bool {
	return invisible(r) && !strings.ContainsRune("\n\r\t", r)
}

// A Drift is how a tool stands to what was accepted of it.
type Drift int

// The drifts. The zero Drift is of a route whose tools are not pinned.
const (
	Accepted   Drift = iota + 1
	Unaccepted       // nobody accepted it yet
	Changed          // it is another than was accepted, or is read in two ways
)

// Pins are the tools of a route that somebody accepted. They may be used at once by many.
type Pins struct {
	hashes map[string]string // by the tool's name
}

// NewPins makes Pins of the hashes of definitions by the tools' names.
func NewPins(hashes map[string]string) *Pins { return &Pins{hashes} }

// Drift is how a tool stands.
func (p *Pins) Drift(t Tool) Drift {
	hash, ok := p.hashes[t.Name]
	if !ok {
		return Unaccepted
	}
	if now, err := Define(t.Value.Raw()); err != nil || now.Hash != hash {
		return Changed
	}
	return Accepted
}
