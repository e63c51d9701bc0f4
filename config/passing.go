package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkForwardHeaders judges which of a client's headers are let through.
func (v *routeRules) checkForwardHeaders() {
	seen := map[string]bool{}
	for i, name := range v.route.ForwardHeaders {
		path, lower := fmt.Sprintf("/forward_headers/%d", i), strings.ToLower(name)
		twice := seen[lower]
		seen[lower] = true
		switch {
		case twice:
			v.problem(path, "stands twice: the case of a header's name says nothing", "")
		case !isToken(name):
			v.problem(path, "is no header name", "")
		case isStandard(lower):
			v.problem(path, "passes already, as MCP needs it", "")
		case isReserved(name):
			v.problem(path, "does not pass: it belongs to the connection, the signature or the protocol", "")
		case v.sets(lower):
			v.warn(path, "is set by headers, which wins", "")
		}
	}
}

// isStandard reports whether a header, in lower case, passes on every route.
func isStandard(name string) bool {
	switch name {
	case "accept", "content-type", "last-event-id", "mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name":
		return true
	}
	return strings.HasPrefix(name, "mcp-param-")
}

// sets reports whether the route sets a header, given in lower case, itself.
func (v *routeRules) sets(name string) bool {
	for own := range v.route.Headers {
		if strings.ToLower(own) == name {
			return true
		}
	}
	return false
}

// checkMeta judges what is merged into params._meta.
func (v *routeRules) checkMeta() {
	for _, key := range slices.Sorted(maps.Keys(v.route.Meta)) {
		path := "/meta/" + strings.ReplaceAll(key, "/", slash)
		switch {
		case key == "":
			v.problem(path, "is no key", "")
		case key == "traceparent" || key == "tracestate":
			v.problem(path, "is not yours to set: it is another with each request", "set trace_meta: true")
		case key == "progressToken" || isProtocolKey(key):
			v.problem(path, "is not yours to set: it belongs to the protocol", "")
		}
	}
}

// isProtocolKey reports whether a key of _meta is under one of the prefixes that MCP keeps for itself: those whose
// second label is modelcontextprotocol or mcp.
func isProtocolKey(key string) bool {
	prefix, _, ok := strings.Cut(key, "/")
	labels := strings.Split(strings.ToLower(prefix), ".")
	return ok && len(labels) > 1 && (labels[1] == "modelcontextprotocol" || labels[1] == "mcp")
}
