package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"signet/gateway/bulkhead"
	"signet/gateway/envelope"
	"signet/gateway/policy"
)

// maxList is the largest answer that tools are taken out of. A longer one is refused: it would pass whole.
const maxList = maxEvent

// lists reports whether the answer may list tools that are not to be listed. A GET may bring the answer to any
// earlier request.
func (c *call) lists() bool {
	if c.route.tools == nil && c.route.profiles == nil && c.route.pins == nil && c.keep == nil {
		return false
	}
	return c.r.Method == http.MethodGet || isMethod(c.message.Method, "tools/list") || c.message.Kind == envelope.Batch
}

// screened is a message of the upstream's without the tools that are not to be listed; it is the same where there is
// none. What it lists is noted.
func (c *call) screened(body []byte) ([]byte, error) {
	if !c.lists() || len(bytes.TrimSpace(body)) == 0 {
		return body, nil
	}
	lists, err := policy.Lists(body)
	switch {
	case err != nil && c.route.tools == nil:
		if c.route.pins != nil {
			c.route.log.Warn("a list of tools cannot be held against what was accepted", "cause", err.Error())
		}
		return body, nil // it gains nothing, and loses nothing
	case err != nil:
		return nil, err
	}
	var edits []envelope.Edit
	for _, l := range lists {
		c.noteList(l)
		edits = c.adjust(edits, l)
	}
	if len(edits) == 0 {
		return body, nil
	}
	return envelope.Splice(make([]byte, 0, len(body)), body, edits...), nil
}

// adjust appends to edits those that take out of a list what is not to be listed, and give the rest the parameter that
// names a profile.
func (c *call) adjust(edits []envelope.Edit, l policy.List) []envelope.Edit {
	before := len(edits)
	if c.route.tools != nil {
		edits, l = c.route.tools.Screen(edits, l)
	}
	if c.route.profiles != nil {
		var shadowed []string
		edits, shadowed = c.route.profiles.Extend(edits, l)
		for _, tool := range shadowed {
			c.route.log.Warn("a tool has a parameter of profile_param's name, which is replaced", "tool", tool)
		}
	}
	slices.SortFunc(edits[before:], func(a, b envelope.Edit) int { return a.From - b.From })
	return edits
}

// noteList notes what a list says.
func (c *call) noteList(l policy.List) {
	c.listed, c.cursor = true, bytes.Clone(l.Cursor)
	for i := range l.Tools {
		tool := &l.Tools[i]
		if c.keep != nil {
			c.keep(*tool)
		}
		if c.route.pins != nil {
			tool.Drift = c.compare(*tool)
		}
		if c.route.hints != nil && tool.Name != "" {
			c.route.hints.See(tool.Name, tool.ReadOnly, tool.Drift, time.Now())
		}
	}
}

// hear notes what the upstream says of its tools without having been asked.
func (c *call) hear(m envelope.Message) {
	if c.route.hints == nil {
		return
	}
	for _, element := range m.Batch {
		c.hear(element)
	}
	if m.Kind == envelope.Notification && m.Method == "notifications/tools/list_changed" {
		c.route.hints.Changed(time.Now())
	}
}

// unreadableList is an error for an answer that may list tools and cannot be read strictly.
func (c *call) unreadableList(why error) *envelope.Error {
	return c.fault(envelope.CodeBadResponse, "list", unknown,
		"the upstream's answer cannot be held against tools.*, and is not passed on: "+why.Error())
}

// list passes a JSON answer on that may list tools, without those that are not to be listed.
func (c *call) list(response *http.Response, body io.Reader) {
	held, err := readUpTo(newHeldBody(body, c.held, uncounted), response.ContentLength, maxList)
	var shed *bulkhead.Shed
	switch {
	case errors.As(err, &shed):
		c.fail(c.shed(shed, unknown))
		return
	case err != nil:
		c.fail(c.brokeOff(response, err))
		return
	case len(held) > maxList:
		c.fail(tooLarge(c.route.name, "a list of tools", maxList))
		return
	}
	m, _ := envelope.Read(held)
	passed, err := c.screened(held)
	if err != nil {
		c.fail(c.unreadableList(err))
		return
	}
	c.judge(m)
	c.hear(m)
	c.entire(response, passed)
}

// screenEvent is an event without the tools that are not to be listed. One that cannot be read strictly ends a
// stream whose requests wait for an answer; a standing one goes on without it.
func (c *call) screenEvent(event envelope.Event) ([]byte, *envelope.Error) {
	data, err := c.screened(event.Data)
	switch {
	case err != nil && len(c.pending) == 0:
		c.route.log.Warn("an event was left out", "cause", c.unreadableList(err).Message)
		return nil, nil
	case err != nil:
		return nil, c.unreadableList(err)
	case c.session != nil:
		data = c.marked(data)
	}
	if bytes.Equal(data, event.Data) {
		return event.Raw, nil
	}
	return event.Reframe(make([]byte, 0, len(event.Raw)), data), nil
}
