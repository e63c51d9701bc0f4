package gateway

import (
	"mime"
	"net/http"
	"time"

	"signet/gateway/envelope"
	"signet/gateway/telemetry"
)

const (
	// firstWait is how long a standing stream without an upstream waits before it asks again. Each wait is twice
	// the one before, up to lastWait.
	firstWait = time.Second
	lastWait  = 15 * time.Second

	// refusedWait is how long it waits at least when AWS or the upstream said no: that takes a person.
	refusedWait = time.Minute
)

// serve forwards the call. A GET that the upstream does not answer is held open meanwhile, and asked again until
// it is.
func (c *call) serve() {
	defer c.unpark()
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		before := c.parked
		c.forward()
		if c.parked == before {
			return
		}
		if !c.waitParked(max(wait, c.patience)) {
			if c.left() {
				c.ending = telemetry.Ending{Outcome: "client_cancelled"} // that it failed was told when it was parked
			}
			return
		}
		c.ending = telemetry.Ending{}
	}
}

// parks reports whether the call is a session's standing stream that is held open although it failed with e. Told of a
// failure, the Go SDK ends its whole session, and the others never ask for a stream again; and nothing says that
// one would come if they did. No more are held than may be open, and none that there is no place for.
func (c *call) parks(e *envelope.Error) bool {
	switch {
	case c.r.Method != http.MethodGet, c.r.Header.Get("Mcp-Session-Id") == "", c.truthful(), c.left(), c.parked == 0 && c.begun,
		e.Code == envelope.CodeDraining, e.Reason == "internal":
		return false
	case c.parked == 0 && e.Code == envelope.CodeOverloaded && e.Reason != "fds":
		return false
	case c.parked == 0 && !c.route.park():
		return false
	}
	c.parked++
	c.patience = e.RetryAfter
	if e.Outcome == rejected && c.patience == 0 {
		c.patience = refusedWait
	}
	c.blame(e)
	if c.parked == 1 {
		c.route.log.Warn("a stream is held open while its upstream does not answer", "error.type", e.Reason, "cause", e.Message, "trace_id", e.TraceID)
	}
	if !c.begun {
		c.w.Header().Set("Content-Type", "text/event-stream")
		c.w.Header().Set("Cache-Control", "no-cache")
		c.begin(http.StatusOK)
	}
	return true
}

// begin sends the headers of an event stream: the first thing that a client waits for. It does so once.
func (c *call) begin(status int) {
	if c.begun {
		return
	}
	c.w.Header().Set("X-Accel-Buffering", "no") // nginx holds streams back unless told not to
	c.w.WriteHeader(status)
	c.begun = true
	c.hurry()
	_ = http.NewResponseController(c.w).Flush()
	c.rest()
}

// waitParked waits before the upstream is asked again, and reports whether that is still wanted. The comments
// meanwhile find out a client that is gone.
func (c *call) waitParked(wait time.Duration) bool {
	for ; wait > 0; wait -= lastWait {
		timer := time.NewTimer(min(wait, lastWait))
		select {
		case <-c.ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
		if !c.comment() {
			return false
		}
	}
	return true
}

// comment sends a comment on a stream that is held, where there are any, and reports whether there is a client.
func (c *call) comment() bool {
	if c.route.config.Keepalive == 0 {
		return true
	}
	err := c.send([]byte(comment))
	if err == nil {
		err = http.NewResponseController(c.w).Flush()
	}
	c.rest()
	return err == nil
}

// over reports whether a response tells a stream that is held that there is none: its end says so to the client,
// whose next question the upstream then answers itself.
func (c *call) over(response *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch status := response.StatusCode; {
	case c.parked == 0:
		return false
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return true
	default:
		return status < 300 && kind != "text/event-stream"
	}
}

// park takes a place among the streams that are held without an upstream, and reports whether there is one.
func (rt *route) park() bool {
	if rt.parked.Add(1) > int64(rt.config.Limits.Streams) {
		rt.parked.Add(-1)
		return false
	}
	return true
}

// unpark gives the place back, if the call took one.
func (c *call) unpark() {
	if c.parked > 0 {
		c.route.parked.Add(-1)
	}
}
