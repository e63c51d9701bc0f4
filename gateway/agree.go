package gateway

import (
	"encoding/base64"
	"net/http"
	"strings"

	"signet/gateway/envelope"
)

// agrees reports whether the headers that mirror the body say what it says. On a route that decides by what a
// message says it answers a call of which they do not; on any other it is noted and the upstream is left to judge.
// Nothing is ever decided by a header.
func (c *call) agrees() bool {
	if c.r.Method != http.MethodPost {
		return true
	}
	header, why := disagreement(c.r.Header, c.message)
	if header == "" {
		return true
	}
	c.record.Disagreed(c.route.name, header)
	if !c.route.decides {
		return true
	}
	e := c.fault(envelope.CodeHeader, "header_mismatch", notSent, "the header "+header+" "+why)
	c.blame(e)
	body := e.Append(nil, nil)
	if len(c.pending) > 0 {
		body = c.errorFor(e)
	}
	writeJSON(c.w, http.StatusBadRequest, body)
	return false
}

// blame makes e the end of the call, for the span, and what the client is told complete.
func (c *call) blame(e *envelope.Error) {
	e.Source, e.Route, e.TraceID = "gateway", c.route.name, c.record.TraceID()
	c.ending.Code, c.ending.Reason, c.ending.Message, c.ending.Outcome = e.Code, e.Reason, e.Message, e.Outcome
}

// disagreement is the first header that does not say what the body says, and how. Empty: they agree, or the
// message is ambiguous and there is nothing to compare with.
func disagreement(h http.Header, m envelope.Message) (header, why string) {
	if !m.Strict {
		return "", ""
	}
	version := m.Version
	if m.Method == "initialize" {
		version = "" // what the client proposes; the header, if there is one, is of a session before
	}
	required := version >= modern && m.Kind == envelope.Request
	named := m.Method == "tools/call" || m.Method == "prompts/get" || m.Method == "resources/read"
	for _, mirrored := range []struct {
		header, key, body string // key: as net/http has it
		compare, encoded  bool
	}{
		{"MCP-Protocol-Version", "Mcp-Protocol-Version", version, version != "", false},
		{"Mcp-Method", "Mcp-Method", m.Method, true, false},
		{"Mcp-Name", "Mcp-Name", m.Name, named, true},
	} {
		values := h[mirrored.key]
		switch {
		case !mirrored.compare && len(values) < 2:
		case len(values) > 1:
			return mirrored.header, "stands twice"
		case len(values) == 0 && required:
			return mirrored.header, "is missing"
		case len(values) == 0:
		case !says(values[0], mirrored.body, mirrored.encoded):
			return mirrored.header, "does not say what the body says"
		}
	}
	return "", ""
}

// says reports whether a header's value stands for text: as it is, or, where it may be encoded, between the marks
// "=?base64?" and "?=".
func says(value, text string, encoded bool) bool {
	inner, marked := strings.CutPrefix(value, "=?base64?")
	inner, ended := strings.CutSuffix(inner, "?=")
	if !encoded || !marked || !ended {
		return value == text
	}
	decoded, err := base64.StdEncoding.DecodeString(inner)
	return err == nil && string(decoded) == text
}
