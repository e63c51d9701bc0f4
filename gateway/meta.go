package gateway

import (
	"errors"
	"maps"
	"slices"

	"signet/config"
	"signet/gateway/bulkhead"
	"signet/gateway/credentials"
	"signet/gateway/envelope"
)

// metaRegion is the key of meta whose value may be auto.
const metaRegion = "AWS_REGION"

// dress puts what the route adds to params._meta into the body of an attempt, whose span has begun: meta, and the
// span's trace context. A fault is that there is no memory for a second body.
func (c *call) dress(a *attempt) *envelope.Error {
	a.body = c.body
	if own := &c.route.config; len(own.Meta) == 0 && !own.TraceMeta || len(c.body) == 0 {
		return nil
	}
	placing := c.message.Place(c.body, c.members(a))
	for _, key := range placing.Kept {
		c.route.log.Debug("the client's own _meta wins", "key", key)
	}
	if placing.Odd {
		c.route.log.Warn("nothing is put into a _meta that is no object", "method", c.message.Method)
	}
	if placing.Edits == nil {
		return nil
	}
	size := len(c.body)
	for _, e := range placing.Edits {
		size += len(e.With) - (e.To - e.From)
	}
	if err := c.hold(size); err != nil {
		return err
	}
	a.body = envelope.Splice(make([]byte, 0, size), c.body, placing.Edits...)
	return nil
}

// hold counts n bytes more for the call's bodies, or is the error that there is no memory for them.
func (c *call) hold(n int) *envelope.Error {
	var shed *bulkhead.Shed
	if err := c.held.take(int64(n)); errors.As(err, &shed) {
		return c.shed(shed, notSent)
	}
	c.bodies += int64(n)
	return nil
}

// members are what the route adds to params._meta of an attempt.
func (c *call) members(a *attempt) []envelope.Member {
	var members []envelope.Member
	for _, key := range slices.Sorted(maps.Keys(c.route.config.Meta)) {
		value := c.route.config.Meta[key]
		if key == metaRegion && value == "auto" {
			value = c.route.workingRegion(a.generation)
		}
		if value != "" || key != metaRegion {
			members = append(members, envelope.Member{Key: key, Value: envelope.AppendText(nil, value)})
		}
	}
	if !c.route.config.TraceMeta {
		return members
	}
	parent, state := a.record.TraceContext()
	if parent == "" {
		return members
	}
	members = append(members, envelope.Member{Key: "traceparent", Value: envelope.AppendText(nil, parent), Wins: true})
	if state != "" || c.message.Tracestate != "" { // another's tracestate would stay beside our traceparent
		members = append(members, envelope.Member{Key: "tracestate", Value: envelope.AppendText(nil, state), Wins: true})
	}
	return members
}

// workingRegion is the region that AWS's own tools would work in as g, which is nil where nothing is signed: it may
// be another than the one that is signed for. Empty: nobody says.
func (rt *route) workingRegion(g *credentials.Generation) string {
	profile := ""
	if g != nil {
		profile = g.ProfileRegion
	}
	if region := credentials.WorkingRegion(profile); region != "" {
		return region
	}
	if _, region, ok := config.ServiceRegion(rt.upstream.Hostname()); ok && region != "" {
		return region
	}
	return rt.scope.Region
}
