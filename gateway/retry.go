package gateway

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"signet/gateway/envelope"
	"signet/gateway/telemetry"
)

// moreConnections is how often a request that found no room on a connection looks for another. net/http tries so
// often by itself, as long as there is no body.
const moreConnections = 6

// settling is how long a request that was turned away waits, so that its connection, or the next, has said by then
// how many it takes: until it has, net/http gives each up to a hundred.
const settling = 100 * time.Millisecond

// maxPause is the longest that a call waits to be sent again because the upstream wants less.
const maxPause = 2 * time.Second

// spent reports whether the call may not be sent once more after a: twice is all, whoever repeats it.
func (c *call) spent(a *attempt) bool {
	return a.first != nil || a.resent || c.route.config.Retry.Max == 0
}

// repeats reports whether a, which ended with e and without a response, is to be sent once more: nothing was written
// to the connection, the upstream said that it did nothing, or doing it twice is doing it once. A wait that ran out
// is not begun anew, and a name or a certificate is no other a moment later.
func (c *call) repeats(a *attempt, e *envelope.Error) bool {
	switch {
	case c.spent(a), c.ended() != nil:
		return false
	case e.Outcome == unknown:
		return c.repeatable()
	}
	return e.Reason == "refused" || e.Reason == "broken"
}

// yields reports whether a, which the upstream wants later, is to be sent once more after a pause.
func (c *call) yields(a *attempt, response *http.Response) bool {
	wait := retryAfter(response.Header.Get("Retry-After"))
	if !c.route.config.Retry.Throttle || c.spent(a) || !c.repeatable() || wait <= 0 || wait > maxPause {
		return false
	}
	status := response.StatusCode
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return false
	}
	a.pause = wait
	return true
}

// pause waits as long as the attempt before a asked for.
func (c *call) pause(a *attempt) error {
	if a.first == nil || a.first.pause == 0 {
		return nil
	}
	defer c.record.Pausing(c.ctx)()
	timer := time.NewTimer(a.first.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
}

// after is the attempt that repeats a, which ended so.
func (a *attempt) after(how telemetry.Ending) *attempt {
	a.reason, a.outcome = how.Reason, how.Outcome
	return &attempt{number: a.number + 1, first: a, generation: a.next}
}

// since is e with the outcome of all attempts so far: one that may have had an effect is not made good by a later
// one that had none.
func (a *attempt) since(e *envelope.Error) *envelope.Error {
	if a.first != nil && (a.first.outcome == unknown || e.Outcome == notSent) {
		e.Outcome = a.first.outcome
	}
	return e
}

// trace watches what becomes of a, for nothing else tells whether bytes of it were written.
func (a *attempt) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:           a.got,
		WroteHeaders:      func() { a.headed.Store(true) },
		TLSHandshakeStart: func() { a.shaking.Store(true) },
	})
}

// got notes the connection that a goes out on. net/http takes another one when it repeats a request by itself: a
// request without a body up to six times, of which the second after a write is one too many.
func (a *attempt) got(info httptrace.GotConnInfo) {
	if a.written = a.wrote(); a.written {
		if a.resent || !a.mayReplay {
			a.cancel(errSentTwice)
		}
		a.resent = true
	}
	conn, outer := under(info.Conn)
	if conn != nil {
		conn.look.Do(func() { conn.many.Store(outer != nil && outer.ConnectionState().NegotiatedProtocol == "h2") })
		a.from = conn.sent.Load()
	}
	a.letGo()
	if conn != nil {
		conn.users.Add(1)
	}
	a.conn, a.connected, a.reused, a.connectedAt = conn, true, info.Reused, time.Now()
}

// letGo lets the attempt use its connection no more.
func (a *attempt) letGo() {
	if a.conn != nil && a.connected {
		a.conn.users.Add(-1)
	}
}

// wrote reports whether the upstream may have got something of a. A connection of HTTP/2 is written to by others
// too; there the headers count, without which nothing is executed.
func (a *attempt) wrote() bool {
	switch {
	case a.written || !a.connected:
		return a.written
	case a.conn == nil:
		return true
	case a.conn.many.Load():
		return a.headed.Load()
	}
	return a.conn.sent.Load() != a.from
}

// crowdedOut reports whether a got a connection of HTTP/2 and no stream on it, since others took the last ones at the
// same moment. Of a request with a body net/http then says that it "cannot rewind" what it never sent.
func (a *attempt) crowdedOut() bool { return a.conn != nil && a.conn.many.Load() && !a.wrote() }

// disowned reports whether err is an HTTP/2 upstream's word that it did nothing with the request: REFUSED_STREAM, or
// GOAWAY with an earlier last stream (RFC 9113, 8.7). net/http has no other form of it than these words once there
// was a body. Were they to change, a call would not be repeated, never one too many.
func disowned(err error) bool {
	cause, ok := strings.CutPrefix(err.Error(), "http2: Transport: cannot retry err [")
	if !ok {
		return false
	}
	stream, ok := strings.CutPrefix(cause, "stream error: stream ID ")
	_, code, _ := strings.Cut(stream, "; ")
	return ok && strings.HasPrefix(code, "REFUSED_STREAM; ") ||
		strings.HasPrefix(cause, "http2: Transport received Server's graceful shutdown GOAWAY]")
}

// under is the connection that a transport's is made of, and the outermost TLS around it, if any. Nil: it is none of
// ours.
func under(c net.Conn) (_ *connection, outer *tls.Conn) {
	for {
		switch is := c.(type) {
		case *connection:
			return is, outer
		case *tls.Conn:
			if outer == nil {
				outer = is
			}
			c = is.NetConn()
		default:
			return nil, outer
		}
	}
}
