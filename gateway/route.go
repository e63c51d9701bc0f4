package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"

	"signet/config"
	"signet/gateway/bulkhead"
	"signet/gateway/envelope"
	"signet/gateway/sigv4"
	"signet/gateway/telemetry"
)

// A route is one upstream: its credentials, its connections, its forward loop, and the calls under way.
type route struct {
	// fixed at build
	name     string
	config   config.Route
	snapshot uint64 // the first that had this route
	upstream *url.URL
	port     int
	agent    string // User-Agent
	scope    sigv4.Scope
	log      *slog.Logger
	lines    *callLog
	recorder *telemetry.Recorder
	places   *places
	pool     *pool
	identity *identity // nil: requests are not signed
	memory   *bulkhead.Memory

	// its own
	flight flight
}

// hold and end bracket the life of a route: between them its parts stay open. What of a shared part follows the
// newest route does from hold on.
func (rt *route) hold() {
	rt.pool.hold()
	if rt.identity != nil {
		rt.identity.hold()
		rt.identity.cache.Bound(rt.config.Credentials.Timeout, rt.config.Credentials.Wait)
	}
}

// end waits for the route's calls as flight.end does, then lets go of its parts.
func (rt *route) end(ctx context.Context, cause error) int {
	n := rt.flight.end(ctx, cause)
	rt.pool.drop()
	if rt.identity != nil {
		rt.identity.drop()
	}
	return n
}

// serve reads one request and lets answer do the rest. The body is read whole, so that it can be hashed,
// signed and, if need be, sent again, and so that net/http notices a client that leaves: it watches a
// connection only once its body is read.
func (rt *route) serve(w http.ResponseWriter, r *http.Request, caller string, answer func(*call)) {
	if refusal := rt.screen(r); refusal != nil {
		refusal.write(w)
		return
	}
	held := tally{memory: rt.memory}
	defer held.keep(0)
	body, refusal := rt.read(w, r, &held)
	if refusal != nil {
		refusal.write(w)
		return
	}
	var m envelope.Message
	if r.Method == http.MethodPost {
		var err error
		if m, err = envelope.Read(body); err != nil {
			unreadable(rt.name, err).write(w)
			return
		}
	}
	c := newCall(rt, w, r, m, body)
	c.held, c.client = &held, caller
	if caller == "" {
		c.client = r.RemoteAddr
	}
	c.ctx, c.record = rt.recorder.Call(c.ctx, r.Header, c.describe(caller))
	defer c.finish()
	defer c.survive()
	answer(c)
}

// screen refuses what cannot be a Streamable HTTP request.
func (rt *route) screen(r *http.Request) *refusal {
	switch r.Method {
	case http.MethodPost:
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/json" || len(r.Header["Content-Type"]) != 1 {
			return refuse(http.StatusUnsupportedMediaType, &envelope.Error{
				Code: envelope.CodeInvalid, Reason: "content_type", Route: rt.name, Outcome: notSent,
				Message: "a message is sent as Content-Type: application/json",
			})
		}
		return nil
	case http.MethodGet:
		// Codex and mcp-remote probe with GET and Accept: */*; such a request opens no stream anywhere.
		if strings.Contains(strings.Join(r.Header["Accept"], ","), "text/event-stream") {
			return nil
		}
		return rt.wrongMethod("a GET opens an event stream and says so: Accept: text/event-stream", "POST, DELETE")
	case http.MethodDelete:
		return nil
	}
	return rt.wrongMethod("a route takes POST, GET and DELETE", "POST, GET, DELETE")
}

func (rt *route) wrongMethod(message, allow string) *refusal {
	refusal := refuse(http.StatusMethodNotAllowed, &envelope.Error{
		Code: envelope.CodeInvalid, Reason: "method", Route: rt.name, Outcome: notSent, Message: message,
	})
	refusal.allow = allow
	return refusal
}

// read reads the request's body, within limits.body and the memory there is, at the pace of a pacedBody.
func (rt *route) read(w http.ResponseWriter, r *http.Request, held *tally) ([]byte, *refusal) {
	limit := int64(rt.config.Limits.Body)
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close")
		return nil, rt.tooLarge(limit)
	}
	if r.Body == nil || r.ContentLength == 0 {
		return nil, nil
	}
	coming := paced(w, http.MaxBytesReader(w, r.Body, limit))
	body, err := readAll(coming, r.ContentLength, held)
	if err == nil {
		coming.stop()
		return body, nil
	}
	coming.halt()
	w.Header().Set("Connection", "close") // or net/http waits for the rest
	var over *http.MaxBytesError
	var shed *bulkhead.Shed
	switch {
	case errors.As(err, &shed):
		return nil, rt.noMemory(shed)
	case errors.As(err, &over):
		return nil, rt.tooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(http.StatusRequestTimeout, &envelope.Error{
			Code: envelope.CodeInvalid, Reason: "slow_body", Route: rt.name, Outcome: notSent,
			Message: "the request's body did not arrive in time",
		})
	}
	return nil, refuse(http.StatusBadRequest, &envelope.Error{
		Code: envelope.CodeInvalid, Reason: "body", Route: rt.name, Outcome: notSent,
		Message: "the request's body broke off",
	})
}

// readAll reads a body whose length is n, or -1 if that is not known, and counts it as held. Of one that there
// is no memory for nothing is read where its length says so.
func readAll(r io.Reader, n int64, held *tally) ([]byte, error) {
	if n < 0 {
		return io.ReadAll(newHeldBody(r, held, 0))
	}
	if err := held.take(n); err != nil {
		return nil, err
	}
	body := make([]byte, n)
	_, err := io.ReadFull(r, body)
	return body, err
}

func (rt *route) noMemory(s *bulkhead.Shed) *refusal {
	return refuse(http.StatusServiceUnavailable, &envelope.Error{
		Code: envelope.CodeOverloaded, Reason: s.Reason, Route: rt.name, Outcome: notSent, Retryable: true,
		Message: fmt.Sprintf("route %q: %s (%s)", rt.name, s.Message, decidedBy(s.Reason)),
	})
}

func (rt *route) tooLarge(limit int64) *refusal {
	e := tooLarge(rt.name, "the body", limit)
	e.Outcome = notSent
	return refuse(http.StatusRequestEntityTooLarge, e)
}
