package gateway

import (
	"fmt"
	"net/http"

	"signet/gateway/envelope"
)

// The reasons of calls that name a profile which is none of the route's, or are of a session that is not known.
const (
	unknownProfile = "unknown_profile"
	unknownSession = "unknown_session"
)

// pick decides as which of the route's profiles the call is signed, and in which session, or answers why it cannot
// be. What names a profile is taken out of the body.
func (c *call) pick() bool {
	if c.route.profiles == nil || c.own {
		return true
	}
	switch {
	case c.r.Method == http.MethodDelete:
		c.endOthers()
		return true
	case c.r.Method != http.MethodPost:
		return true
	}
	profile, edits, fault := c.profileOf()
	if fault == nil && profile != "" {
		fault = c.as(profile)
	}
	switch {
	case fault != nil && fault.Reason == unknownSession && len(c.pending) > 0:
		c.blame(fault) // by this status a client begins another session
		writeJSON(c.w, http.StatusNotFound, c.errorFor(fault))
		return false
	case fault != nil:
		c.fail(fault)
		return false
	}
	if len(edits) > 0 {
		c.body = envelope.Splice(make([]byte, 0, len(c.body)), c.body, edits...)
	}
	return true
}

// profileOf is the profile that a message is for, "" for the default, and the edits that take the name out of it.
func (c *call) profileOf() (profile string, edits []envelope.Edit, fault *envelope.Error) {
	body := envelope.ValueOf(c.body)
	if c.message.Kind != envelope.Batch {
		return c.profileIn(c.message, body)
	}
	next, first := 0, true
	for element := range body.Elements() {
		one, more, fault := c.profileIn(c.message.Batch[next], element)
		if next++; fault != nil {
			return "", nil, fault
		}
		if !first && one != profile {
			return "", nil, c.fault(envelope.CodeInvalid, "profiles", notSent, "a batch is sent as one profile, and this one names several")
		}
		profile, first = one, false
		edits = append(edits, more...)
	}
	return profile, edits, nil
}

// profileIn is what profileOf is, of one message.
func (c *call) profileIn(m envelope.Message, body envelope.Value) (string, []envelope.Edit, *envelope.Error) {
	switch {
	case m.Kind == envelope.Response:
		profile, edits := unmarked(body.Get("id"))
		if profile = c.route.known(profile); profile == "" {
			edits = nil
		}
		return profile, edits, nil
	case m.Method == "notifications/cancelled":
		return c.route.sessions.flyingAs(c, body.Get("params").Get("requestId")), nil, nil
	case m.Method != "tools/call":
		return "", nil, nil
	}
	profile, edits, err := c.route.profiles.Pick(m.Name, body.Get("params").Get("arguments"))
	if err != nil {
		return "", nil, c.fault(envelope.CodeDenied, unknownProfile, notSent, err.Error())
	}
	return profile, edits, nil
}

// known is the name of a profile that is another of the route's than the default, or "".
func (rt *route) known(profile string) string {
	for _, id := range rt.others {
		if id.signs.profile == profile {
			return profile
		}
	}
	return ""
}

// as makes the call one of another profile than the default: with its credentials, and in its session.
func (c *call) as(profile string) *envelope.Error {
	for _, id := range c.route.others {
		if id.signs.profile == profile {
			c.identity, c.profile = id, profile
		}
	}
	own := c.r.Header.Get("Mcp-Session-Id")
	if own == "" || c.version() >= modern {
		return nil
	}
	id, fault := c.route.sessions.enter(c)
	if fault != nil {
		return fault
	}
	c.session = &id
	c.release = append(c.release, c.route.sessions.fly(c))
	return nil
}

// profileName is the profile that the call is signed as. Empty: the config names none.
func (c *call) profileName() string {
	if c.profile != "" {
		return c.profile
	}
	return c.route.config.Profile
}

// badSession is an error for a call of another profile in a session that the gateway does not know.
func (c *call) badSession() *envelope.Error {
	return c.fault(envelope.CodeInvalid, unknownSession, notSent, fmt.Sprintf(
		"the session is not known here, and so has none as profile %q: it was begun before the gateway was, or by another caller. Initialize again", c.profile))
}
