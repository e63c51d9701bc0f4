package gateway

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"signet/gateway/envelope"
)

// named notes what the upstream's answer says of sessions.
func (c *call) named(response *http.Response) {
	c.assigned = response.Header.Get("Mcp-Session-Id")
	if c.route.sessions != nil && c.message.Method == "initialize" && c.profile == "" && c.assigned != "" {
		c.route.sessions.begin(c, c.assigned)
	}
}

// regain begins anew the session that the upstream has lost of a call of another profile, and reports whether it is
// to be sent once more: it was refused before anything was executed. Otherwise the call is answered.
func (c *call) regain(a *attempt) (again bool) {
	if a.first != nil {
		c.fail(c.fault(envelope.CodeBadResponse, "session", rejected, "the upstream lost the session twice"))
		return false
	}
	s := c.route.sessions
	s.mu.Lock()
	one := s.of(c)
	if one != nil {
		if o := one.others[c.profile]; o != nil && o.id == *c.session { // and not one that has taken its place
			delete(one.others, c.profile)
		}
	}
	s.mu.Unlock()
	id, fault := s.enter(c)
	if fault != nil {
		c.fail(fault)
		return false
	}
	c.session = &id
	c.ending.Reason, c.ending.Outcome, c.ending.Message = "session_lost", rejected, "the upstream had lost the session, and it was sent again in another"
	return true
}

// endOthers ends the sessions as other profiles of a client that ends its own, beside it.
func (c *call) endOthers() {
	s := c.route.sessions
	s.mu.Lock()
	one := s.of(c)
	if one != nil {
		delete(s.all, c.r.Header.Get("Mcp-Session-Id"))
	}
	s.mu.Unlock()
	if one == nil {
		return
	}
	c.route.flight.join()
	go func() {
		defer c.route.flight.leave()
		ctx, cancel := context.WithTimeout(context.Background(), cancelWithin)
		defer cancel()
		for _, id := range c.route.others {
			s.mu.Lock()
			o := one.others[id.signs.profile]
			s.mu.Unlock()
			if o == nil {
				continue
			}
			select {
			case <-o.done:
			case <-ctx.Done():
				return
			}
			if o.id != "" {
				c.aside(ctx, "", nil, func(own *call) {
					own.identity, own.profile, own.session = id, id.signs.profile, &o.id
				})
			}
		}
	}()
}

// mark begins the ids of what an upstream asks in a session of another profile than the default. The client's answer
// says by it in which of its sessions it is one: two of them may ask with the same id.
const mark = "signet/"

// marked is an event of such a session with its ids marked: that of a question, and that of one taken back.
func (c *call) marked(data []byte) []byte {
	m, err := envelope.Read(data)
	if err != nil || c.session == nil {
		return data
	}
	body := envelope.ValueOf(data)
	var id envelope.Value
	switch {
	case m.Kind == envelope.Request:
		id = body.Get("id")
	case m.Kind == envelope.Notification && m.Method == "notifications/cancelled":
		id = body.Get("params").Get("requestId")
	}
	if id.Raw() == nil {
		return data
	}
	text := mark + url.PathEscape(c.profile) + "/" + string(id.Raw())
	return envelope.Splice(nil, data, id.Replace(envelope.AppendText(nil, text)))
}

// unmarked is the profile whose session a client's answer is for, and the edit that gives it the id it answers.
// Empty: the id is not marked.
func unmarked(id envelope.Value) (profile string, edits []envelope.Edit) {
	rest, ok := strings.CutPrefix(id.Text(), mark)
	escaped, raw, both := strings.Cut(rest, "/")
	profile, err := url.PathUnescape(escaped)
	if !ok || !both || err != nil {
		return "", nil
	}
	if v, err := envelope.Parse([]byte(raw)); err != nil || v.IsObject() || v.IsArray() || v.IsNull() {
		return "", nil
	}
	return profile, []envelope.Edit{id.Replace([]byte(raw))}
}
