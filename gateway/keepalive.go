package gateway

import (
	"bytes"
	"net/http"
	"sync"
	"time"
)

const (
	// comment is what a client is sent of a silent stream. It ends with a blank line, so that not even a client that
	// divides a stream by those alone takes it for a part of the next event.
	comment = ": keepalive\n\n"

	// byteOrderMark may begin a stream, and nothing else in it.
	byteOrderMark = "\xef\xbb\xbf"
)

// A keepAlive writes a stream to its client, whole events, and after each keepalive of silence a comment between two.
// So a client that is gone without a word is found out, and its upstream told.
type keepAlive struct {
	// fixed when it begins
	call    *call
	control *http.ResponseController
	every   time.Duration

	// guarded
	mu      sync.Mutex
	timer   *time.Timer // under mu; nil: no comments
	events  bool        // an event was sent; under mu
	comment bool        // a comment was sent; under mu
	ended   bool        // under mu
	err     error       // under mu
}

// keepAlive begins to keep the client's stream alive.
func (c *call) keepAlive() *keepAlive {
	k := &keepAlive{call: c, control: http.NewResponseController(c.w), every: c.route.config.Keepalive, comment: c.parked > 0}
	if k.every > 0 {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.timer = time.AfterFunc(k.every, k.beat)
	}
	return k
}

// send sends an event to the client. The error is that of an earlier comment, if that did not arrive.
func (k *keepAlive) send(raw []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.comment && !k.events {
		raw = bytes.TrimPrefix(raw, []byte(byteOrderMark)) // it is no longer where the stream begins
	}
	k.events = true
	return k.write(raw)
}

// beat sends a comment, unless something is being sent: then the stream is not silent, and who sends it begins to
// wait anew.
func (k *keepAlive) beat() {
	if !k.mu.TryLock() {
		return
	}
	defer k.mu.Unlock()
	if k.ended {
		return
	}
	k.comment = true
	if k.write([]byte(comment)) != nil {
		k.call.cancel(errClientGone)
	}
}

// write writes and begins to wait anew. k.mu is held.
func (k *keepAlive) write(p []byte) error {
	if k.err == nil {
		k.err = k.call.send(p)
	}
	if k.err == nil {
		k.err = k.control.Flush()
	}
	k.call.rest()
	if k.timer != nil && k.err == nil {
		k.timer.Reset(k.every)
	}
	return k.err
}

// stop ends the comments: after it the stream is the caller's. It may be called twice.
func (k *keepAlive) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = true
	if k.timer != nil {
		k.timer.Stop()
	}
}
