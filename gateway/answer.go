package gateway

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"signet/gateway/bulkhead"
	"signet/gateway/envelope"
)

const (
	// maxHeld is the largest JSON answer held until it is whole. A client cannot use half of one.
	maxHeld = 1 << 20

	// copyBuffer is the size of reads of a longer one.
	copyBuffer = 32 << 10

	// writeDeadline bounds each write of at most copyBuffer to a client that does not read.
	writeDeadline = 30 * time.Second
)

// answer passes the upstream's response on or turns it into an error, or reports that the call is to be
// sent again.
func (c *call) answer(a *attempt, response *http.Response) (again bool) {
	body := c.quiet(response.Body)
	defer body.stop()
	status := response.StatusCode
	if status < 300 {
		c.accepted(a)
	}
	switch {
	case status >= 300 && status < 400:
		c.fail(c.redirected(response))
	case status == http.StatusNotFound && c.r.Header.Get("Mcp-Session-Id") != "",
		status == http.StatusMethodNotAllowed && c.r.Method != http.MethodPost:
		c.accepted(a)
		c.verdict(response, body)
	case status >= 300:
		return c.refused(a, response, body)
	case response.Header.Get("Content-Encoding") != "" && response.Header.Get("Content-Encoding") != "identity":
		c.fail(c.bad("encoding", response, "the upstream compressed its answer although asked not to"))
	default:
		c.pass(response, body)
	}
	return false
}

// pass passes a success on.
func (c *call) pass(response *http.Response, body io.Reader) {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case kind == "text/event-stream":
		c.stream(response, body)
	case kind == "application/json":
		c.whole(response, body)
	case response.ContentLength == 0 || response.StatusCode == http.StatusAccepted ||
		response.StatusCode == http.StatusNoContent || len(c.pending) == 0:
		c.head(response)
		c.w.WriteHeader(response.StatusCode)
	case kind == "text/html":
		c.fail(c.bad("html", response, "the upstream answered with a web page: is this its MCP endpoint?"))
	default:
		c.fail(c.bad("content_type", response, "the upstream answered with neither JSON nor an event stream"))
	}
}

// whole passes a JSON answer on: at once when it is complete, if it is not too long to hold and there is memory
// to hold it in.
func (c *call) whole(response *http.Response, body io.Reader) {
	held, err := c.readHeld(body, response.ContentLength)
	var shed *bulkhead.Shed
	switch {
	case errors.As(err, &shed), err == nil && len(held) > maxHeld:
		c.long(response, held, body)
		return
	case err != nil:
		c.fail(c.brokeOff(response, err))
		return
	}
	m, err := envelope.Read(held)
	var syntax *envelope.SyntaxError
	if errors.As(err, &syntax) && len(held) > 0 {
		c.fail(c.bad("truncated", response, "the upstream's answer is not JSON: "+err.Error()))
		return
	}
	c.judge(m)
	c.head(response)
	c.w.Header().Set("Content-Length", strconv.Itoa(len(held)))
	c.w.WriteHeader(response.StatusCode)
	if err := c.send(held); err != nil {
		c.ending.Outcome = "client_cancelled"
	}
}

// long passes on an answer of which the beginning is held. If it breaks off the client's connection does
// too: a cut answer must not look like a whole one.
func (c *call) long(response *http.Response, held []byte, body io.Reader) {
	c.head(response)
	if response.ContentLength >= 0 {
		c.w.Header().Set("Content-Length", strconv.FormatInt(response.ContentLength, 10))
	}
	c.w.WriteHeader(response.StatusCode)
	c.begun = true
	buffer := make([]byte, copyBuffer)
	for {
		if err := c.send(held); err != nil {
			c.ending.Outcome = "client_cancelled"
			return
		}
		c.rest()
		c.held.keep(int64(len(c.body)))
		n, err := body.Read(buffer)
		held = buffer[:n]
		switch {
		case err == nil:
			continue
		case errors.Is(err, io.EOF) && n == 0:
			return
		case errors.Is(err, io.EOF):
			_ = c.send(held)
			return
		}
		e := c.brokeOff(response, err)
		c.ending.Code, c.ending.Reason, c.ending.Message, c.ending.Outcome = e.Code, e.Reason, e.Message, e.Outcome
		panic(http.ErrAbortHandler)
	}
}

// verdict passes on a status that is the upstream's word to an MCP client: that a session is gone, or that
// it has no stream to open. Of the body only a JSON-RPC message gets through.
func (c *call) verdict(response *http.Response, body io.Reader) {
	held, err := c.readHeld(body, response.ContentLength)
	if m, bad := envelope.Read(held); err != nil || bad != nil || m.Kind != envelope.Response {
		held = nil
	}
	c.head(response)
	if held == nil {
		c.w.Header().Del("Content-Type")
	}
	c.w.Header().Set("Content-Length", strconv.Itoa(len(held)))
	c.w.WriteHeader(response.StatusCode)
	_ = c.send(held)
}

// judge notes on the span how the upstream's own answer went.
func (c *call) judge(m envelope.Message) {
	if m.Kind != envelope.Response {
		return
	}
	c.ending.ToolError = m.ToolError
	if m.IsError {
		c.ending.Code = m.Code
		c.ending.Message = "the upstream answered with an error"
	}
}

// head copies what a client may get of the response's headers.
func (c *call) head(response *http.Response) {
	h := c.w.Header()
	for name, values := range response.Header {
		switch name {
		case "Content-Type", "Cache-Control", "Mcp-Session-Id", "Mcp-Protocol-Version", "Retry-After", "Allow", "X-Amzn-Requestid":
			h[name] = values
		}
	}
}

// send writes to the client, which has writeDeadline to take each copyBuffer of it: a long event over a slow line
// takes its time.
func (c *call) send(p []byte) error {
	for piece := range slices.Chunk(p, copyBuffer) {
		c.hurry()
		if _, err := c.w.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// hurry gives the client writeDeadline from now on to take what is written. rest is to follow.
func (c *call) hurry() {
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(writeDeadline)) // unsupported off the network
}

// rest takes the deadline back, once what was written is on its way and before more is waited for: over HTTP/2 a
// deadline that passes ends the stream, whether anything is being written or not.
func (c *call) rest() {
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Time{})
}

// readHeld reads a body whose length is n, or -1 if unknown: all of it, or a little more than maxHeld. It is
// counted as held.
func (c *call) readHeld(body io.Reader, n int64) ([]byte, error) {
	return readUpTo(newHeldBody(body, c.held, uncounted), n, maxHeld)
}

// readUpTo reads a body whose length is n, or -1 if unknown: all of it, or a little more than limit.
func readUpTo(r io.Reader, n int64, limit int) ([]byte, error) {
	if n > int64(limit) || n < 0 {
		n = 0
	}
	var b bytes.Buffer
	b.Grow(int(n) + bytes.MinRead)
	_, err := b.ReadFrom(io.LimitReader(r, int64(limit)+1))
	return b.Bytes(), err
}

// A quietBody is an upstream's body that ends the call when it is silent for longer than timeouts.idle.
type quietBody struct {
	io.Reader
	size  *int64      // what was read
	timer *time.Timer // nil: no limit
	limit time.Duration
}

func (c *call) quiet(body io.Reader) *quietBody {
	q := &quietBody{Reader: body, size: &c.ending.Bytes, limit: c.route.config.Timeouts.Idle}
	if q.limit > 0 && !c.standing() {
		q.timer = time.AfterFunc(q.limit, func() { c.cancel(errIdle) })
	}
	return q
}

// Read reads and starts the wait anew.
func (q *quietBody) Read(p []byte) (int, error) {
	n, err := q.Reader.Read(p)
	*q.size += int64(n)
	if q.timer != nil && n > 0 {
		q.timer.Reset(q.limit)
	}
	return n, err
}

func (q *quietBody) stop() {
	if q.timer != nil {
		q.timer.Stop()
	}
}
