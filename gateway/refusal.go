package gateway

import (
	"errors"
	"net/http"
	"strconv"

	"signet/gateway/envelope"
)

// What may have happened upstream: the outcome of every error.
const (
	notSent  = "not_sent"
	rejected = "rejected"
	unknown  = "unknown"
)

// A refusal is a request turned away at the door: before there is a message, and so an id, to answer.
type refusal struct {
	status int
	allow  string // Allow header; empty: none
	id     []byte // of the request, if it was looked for; nil: none
	err    *envelope.Error
}

func refuse(status int, e *envelope.Error) *refusal {
	e.Source = "gateway"
	return &refusal{status: status, err: e}
}

// write answers the request: the true status, and a JSON-RPC error without an id. Where there is an id, the
// error is its answer, and as such 200.
func (f *refusal) write(w http.ResponseWriter) {
	if f.id != nil {
		writeJSON(w, http.StatusOK, f.err.Append(nil, f.id))
		return
	}
	if f.allow != "" {
		w.Header().Set("Allow", f.allow)
	}
	writeJSON(w, f.status, f.err.Append(nil, nil))
}

// unreadable is the refusal of a body that envelope.Read did not take.
func unreadable(route string, err error) *refusal {
	e := &envelope.Error{Code: envelope.CodeInvalid, Reason: "invalid", Route: route, Outcome: notSent, Message: err.Error()}
	var syntax *envelope.SyntaxError
	if errors.As(err, &syntax) {
		e.Code, e.Reason = envelope.CodeParse, "parse"
	}
	return refuse(http.StatusBadRequest, e)
}

// writeJSON writes a whole JSON answer.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that left has nobody to tell
}
