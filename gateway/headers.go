package gateway

import (
	"net/http"
	"strings"
)

// header is what the upstream is sent: what MCP needs of the client's, and the operator's.
func (c *call) header() http.Header {
	h := make(http.Header, 12)
	for name, values := range c.r.Header {
		if forwarded(name) || c.route.forwards[name] && !hopByHop(c.r.Header, name) {
			h[name] = values[:len(values):len(values)]
		}
	}
	if c.session != nil {
		h.Del("Mcp-Session-Id")
		if *c.session != "" {
			h.Set("Mcp-Session-Id", *c.session)
		}
	}
	h.Set("User-Agent", c.route.agent)
	h.Set("Accept-Encoding", "identity")
	for name, value := range c.route.config.Headers {
		h.Set(name, value)
	}
	return h
}

// forwarded reports whether a client's header reaches the upstream. Names are canonical.
func forwarded(name string) bool {
	switch name {
	case "Accept", "Content-Type", "Last-Event-Id",
		"Mcp-Protocol-Version", "Mcp-Session-Id", "Mcp-Method", "Mcp-Name":
		return true
	}
	return strings.HasPrefix(name, "Mcp-Param-")
}

// hopByHop reports whether the client says that a header is for the next hop alone, which is here.
func hopByHop(h http.Header, name string) bool {
	for _, value := range h["Connection"] {
		for word := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(word), name) {
				return true
			}
		}
	}
	return false
}

// canonical are the names of headers as net/http has them.
func canonical(names []string) map[string]bool {
	all := make(map[string]bool, len(names))
	for _, name := range names {
		all[http.CanonicalHeaderKey(name)] = true
	}
	return all
}
