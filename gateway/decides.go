package gateway

import (
	"signet/config"
	"signet/gateway/envelope"
)

// decides reports whether a route with that config decides anything by what a message says. It then takes only
// what every parser reads alike.
func decides(c config.Route) bool {
	t := c.Tools
	return t.ReadOnly || len(t.Allow) > 0 || len(t.Deny) > 0 || len(t.Timeouts) > 0 || len(c.Profiles) > 1 || t.Pin == "block"
}

// readMessage reads the body of a POST: as the route decides by it, or as any parser might.
func (rt *route) readMessage(body []byte) (envelope.Message, error) {
	if rt.decides {
		return envelope.ReadStrict(body)
	}
	m, err := envelope.Read(body)
	if err == nil && len(rt.config.Meta) > 0 && !m.Strict {
		// There is no saying which _meta is the one that is read, and without it the call is another.
		return envelope.ReadStrict(body)
	}
	return m, err
}
