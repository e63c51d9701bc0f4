package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"signet/gateway/envelope"
	"signet/gateway/policy"
)

// A ToolDefinition is what of a tool is pinned, as an upstream lists it now.
type ToolDefinition struct {
	// Name is the tool's, and SHA256 the hash of Definition as canonical JSON, in hexadecimal digits.
	Name, SHA256 string

	// Definition is the name, title, description, inputSchema, outputSchema and annotations.
	Definition json.RawMessage

	// Hidden are the characters in it that a reader does not see and a model does, as U+200B.
	Hidden []string
}

// Inventory asks the upstream of a route for all its tools, in a session of its own, as its first profile, and
// whatever the route lets its callers see. The error says why it cannot be told, or names a tool that parsers read
// in two ways.
func (g *Gateway) Inventory(ctx context.Context, route string) ([]ToolDefinition, error) {
	rt := g.current.Load().route(route)
	if rt == nil || !rt.flight.enter() {
		return nil, fmt.Errorf("no route %q", route)
	}
	defer rt.flight.leave()
	base, err := rt.client(ctx)
	if err != nil {
		return nil, err
	}
	defer base.leave(ctx)
	var found inventory
	if _, fault := base.pages(ctx, func(own *call) { own.keep = found.add }); fault != nil {
		return nil, errors.New(fault.Message)
	}
	if found.odd != nil {
		return nil, fmt.Errorf("route %q: %w", route, found.odd)
	}
	slices.SortFunc(found.all, func(a, b ToolDefinition) int { return strings.Compare(a.Name, b.Name) })
	return found.all, nil
}

// An inventory is the tools that were listed so far.
type inventory struct {
	all []ToolDefinition
	odd error // why there is no telling which they are
}

func (v *inventory) add(tool policy.Tool) {
	d, err := policy.Define(tool.Value.Raw())
	switch {
	case err != nil:
		v.odd = fmt.Errorf("a tool is read in two ways (%.60q): %w", tool.Value.Raw(), err)
	case tool.Name == "":
		v.odd = fmt.Errorf("a tool has no name (%.60q)", tool.Value.Raw())
	case slices.ContainsFunc(v.all, func(other ToolDefinition) bool { return other.Name == tool.Name }):
		v.odd = fmt.Errorf("the tool %q is listed twice", tool.Name)
	}
	v.all = append(v.all, ToolDefinition{Name: tool.Name, SHA256: d.Hash, Definition: d.Text, Hidden: policy.Hidden(d.Text)})
}

// client is a call that others are made in the manner of: in a session that is begun for it, or, if the upstream has
// no such thing any more, in the manner of the revision without.
func (rt *route) client(ctx context.Context) (*call, error) {
	r := (&http.Request{Method: http.MethodPost, Header: http.Header{}}).WithContext(ctx)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	base := newCall(rt, unheard{}, r, envelope.Message{}, nil)
	base.client = ourselves
	own := base.aside(ctx, "initialize", []byte(`{"jsonrpc":"2.0","id":"signet","method":"initialize","params":{"protocolVersion":"`+
		resumable+`","capabilities":{},"clientInfo":{"name":"signet","version":"1"}}}`), nil)
	switch fault := own.unopened(ctx); {
	case fault == nil:
		r.Header.Set("MCP-Protocol-Version", resumable)
		base.session = &own.assigned
		base.aside(ctx, "notifications/initialized", []byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`), nil)
	case own.said != nil:
		base.leave(ctx)
		return nil, errors.New(fault.Message)
	default: // it said no itself
		r.Header.Set("MCP-Protocol-Version", modern)
		base.body = []byte(`{"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"` + modern +
			`","io.modelcontextprotocol/clientCapabilities":{}}}}`)
	}
	return base, nil
}

// leave ends the session of a call that was made by client, and lets go of what it holds.
func (c *call) leave(ctx context.Context) {
	if c.session != nil && *c.session != "" {
		c.aside(ctx, "", nil, nil)
	}
	for _, stop := range c.release {
		stop()
	}
	c.cancel(nil)
}

// ToolDiff is what differs between two definitions of a tool, a line each of what was and what is, as
// "- description: …". Characters that nobody sees are escaped.
func ToolDiff(before, after []byte) []string {
	var lines []string
	was, is := envelope.ValueOf(before), envelope.ValueOf(after)
	for _, field := range policy.ChangedFields(before, after) {
		old, now := spelled(was.Get(field)), spelled(is.Get(field))
		common := func(a, b []string) (n int) {
			for n < len(a) && n < len(b) && a[n] == b[n] {
				n++
			}
			return n
		}
		head := common(old, now)
		old, now = old[head:], now[head:]
		slices.Reverse(old)
		slices.Reverse(now)
		tail := common(old, now)
		old, now = old[tail:], now[tail:]
		slices.Reverse(old)
		slices.Reverse(now)
		for _, line := range old {
			lines = append(lines, "- "+field+": "+line)
		}
		for _, line := range now {
			lines = append(lines, "+ "+field+": "+line)
		}
	}
	return lines
}

// spelled is a value as lines that show all of it. Nothing has no lines.
func spelled(v envelope.Value) []string {
	if v.Raw() == nil {
		return nil
	}
	if v.IsString() {
		var lines []string
		for line := range strings.SplitSeq(v.Text(), "\n") {
			lines = append(lines, escaped(line))
		}
		return lines
	}
	var b bytes.Buffer
	if err := json.Indent(&b, v.Raw(), "", "  "); err != nil {
		return []string{escaped(string(v.Raw()))}
	}
	var lines []string
	for line := range strings.SplitSeq(b.String(), "\n") {
		lines = append(lines, escaped(line))
	}
	return lines
}

// escaped is a line with what nobody sees, or what a terminal would obey, written as \u{200b}.
func escaped(line string) string {
	var b strings.Builder
	for _, r := range line {
		if len(policy.Hidden([]byte(string(r)))) > 0 || r == '\r' || r == '\t' {
			fmt.Fprintf(&b, `\u{%x}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
