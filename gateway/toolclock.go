package gateway

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"signet/gateway/envelope"
)

const (
	// toolTimeout is the reason of a call that took longer than its tool may.
	toolTimeout = "tool_timeout"

	// cancelWithin bounds telling the upstream that nobody waits for a tool any more.
	cancelWithin = 5 * time.Second
)

// toolLimit is how long the tool that a message calls may take; of a batch, the longest of its tools. Zero: the tool
// has no limit of its own.
func (rt *route) toolLimit(m envelope.Message) time.Duration {
	if rt.timeouts == nil {
		return 0
	}
	if m.Method == "tools/call" {
		return rt.timeouts.Of(m.Name)
	}
	var limit time.Duration
	for _, element := range m.Batch {
		own := rt.toolLimit(element)
		if own == 0 && element.Kind == envelope.Request {
			return 0 // what has no limit of its own may take as long as any call
		}
		limit = max(limit, own)
	}
	return limit
}

// tookTooLong is an error for a tool that took longer than it may.
func (c *call) tookTooLong(outcome string) *envelope.Error {
	what := "the tools of the batch"
	if c.message.Kind != envelope.Batch {
		what = "the tool " + quoted(c.message.Name)
	}
	seconds := strconv.FormatFloat(c.limit.Seconds(), 'f', -1, 64)
	return c.fault(envelope.CodeTimeout, toolTimeout, outcome, fmt.Sprintf("%s took longer than %s s (tools.timeouts)", what, seconds))
}

// callOff tells the upstream of a session that nobody waits for the call any more. It does so beside the answer. That
// the connection ends says so only where there are no sessions.
func (c *call) callOff() {
	if c.version() >= modern || c.r.Header.Get("Mcp-Session-Id") == "" {
		return
	}
	body := []byte{}
	for i, id := range c.pending {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(append(body, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`...), id...)
		body = append(body, `,"reason":"the gateway's tools.timeouts ran out"}}`...)
	}
	if len(c.pending) > 1 {
		body = append(append([]byte{'['}, body...), ']')
	}
	c.route.flight.join()
	go func() {
		defer c.route.flight.leave()
		ctx, cancel := context.WithTimeout(context.Background(), cancelWithin)
		defer cancel()
		c.aside(ctx, "notifications/cancelled", body, nil)
	}()
}
