package credentials

import (
	"fmt"
	"io"
	"log/slog"
)

// A Generation and what was Fetched hold secrets. However they are printed, logged or marshalled, they show none.

// String names the generation by its number and its key's id with the middle left out.
func (g *Generation) String() string {
	if g == nil {
		return "no generation"
	}
	return fmt.Sprintf("generation %d (%s)", g.Seq, MaskKeyID(g.Credentials.AccessKeyID))
}

// Format prints String, whatever the verb.
func (g *Generation) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, g.String()) }

// LogValue is String.
func (g *Generation) LogValue() slog.Value { return slog.StringValue(g.String()) }

// MarshalText is String.
func (g *Generation) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// String names the key by its id with the middle left out.
func (f Fetched) String() string {
	return fmt.Sprintf("fetched (%s)", MaskKeyID(f.Credentials.AccessKeyID))
}

// Format prints String, whatever the verb.
func (f Fetched) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, f.String()) }

// LogValue is String.
func (f Fetched) LogValue() slog.Value { return slog.StringValue(f.String()) }

// MarshalText is String.
func (f Fetched) MarshalText() ([]byte, error) { return []byte(f.String()), nil }
