package envelope

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Codes of the errors a gateway makes. They lie outside the range that JSON-RPC reserves, but for the two
// that are its own.
const (
	CodeUnreachable  = -31001
	CodeTimeout      = -31002
	CodeBadResponse  = -31003
	CodeThrottled    = -31004
	CodeStreamBroken = -31005
	CodeCredentials  = -31010
	CodeRejected     = -31011
	CodeOverloaded   = -31020
	CodeDraining     = -31021
	CodeTooLarge     = -31025
	CodeDenied       = -31030
	CodeToolChanged  = -31031
	CodeNoRoute      = -31040
	CodeParse        = -32700
	CodeInvalid      = -32600
	CodeHeader       = -32020
)

// An Error is a JSON-RPC error with the data a client or its agent can act on. A field that is zero is left
// out of the data.
type Error struct {
	// Code is the JSON-RPC code, and Message what a person reads. "signet: " is put before it.
	Code    int
	Message string

	// Source is who made the error, Reason its class, and Route the route it is of.
	Source, Reason, Route string

	// Retryable says that the same call may succeed, RetryAfter from when on. It is told in whole
	// milliseconds, never too few.
	Retryable  bool
	RetryAfter time.Duration

	// UpstreamStatus, AWSErrorType and AWSRequestID are the upstream's.
	UpstreamStatus             int
	AWSErrorType, AWSRequestID string

	// TraceID is the call's trace.
	TraceID string

	// Outcome is not_sent, rejected or unknown: whether the call may have had an effect.
	Outcome string
}

// Error is the message as a client sees it.
func (e *Error) Error() string { return "signet: " + strings.TrimPrefix(e.Message, "signet: ") }

// Append appends e as the answer to the request with that id, given as its token in the request. Nil: the
// error of no request, without an id.
func (e *Error) Append(dst, id []byte) []byte {
	dst = append(dst, `{"jsonrpc":"2.0",`...)
	if id != nil {
		dst = append(append(append(dst, `"id":`...), id...), ',')
	}
	dst = append(strconv.AppendInt(append(dst, `"error":{"code":`...), int64(e.Code), 10), `,"message":`...)
	dst = appendJSON(dst, e.Error())
	dst = append(dst, `,"data":`...)
	dst = appendJSON(dst, e.data())
	return append(dst, "}}"...)
}

// AppendBatch appends e as the answer to each of the requests of a batch. A batch without requests gets one
// error without an id: an empty array is no answer.
func (e *Error) AppendBatch(dst []byte, ids [][]byte) []byte {
	if len(ids) == 0 {
		return e.Append(dst, nil)
	}
	dst = append(dst, '[')
	for i, id := range ids {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.Append(dst, id)
	}
	return append(dst, ']')
}

func (e *Error) data() any {
	return struct {
		Source         string `json:"source,omitempty"`
		Reason         string `json:"reason,omitempty"`
		Route          string `json:"route,omitempty"`
		Retryable      bool   `json:"retryable"`
		RetryAfter     int64  `json:"retry_after_ms,omitempty"`
		UpstreamStatus int    `json:"upstream_status,omitempty"`
		AWSErrorType   string `json:"aws_error_type,omitempty"`
		AWSRequestID   string `json:"aws_request_id,omitempty"`
		TraceID        string `json:"trace_id,omitempty"`
		Outcome        string `json:"outcome,omitempty"`
	}{e.Source, e.Reason, e.Route, e.Retryable, (e.RetryAfter + time.Millisecond - 1).Milliseconds(),
		e.UpstreamStatus, e.AWSErrorType, e.AWSRequestID, e.TraceID, e.Outcome}
}

func appendJSON(dst []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and booleans
	}
	return append(dst, text...)
}

// Status is the HTTP status that tells the truth about e.
func (e *Error) Status() int {
	switch e.Code {
	case CodeUnreachable:
		if e.Reason == "circuit_open" {
			return 503
		}
		return 502
	case CodeTimeout:
		return 504
	case CodeThrottled, CodeOverloaded:
		if e.Reason == "rate" || e.UpstreamStatus == 429 {
			return 429
		}
		return 503
	case CodeCredentials, CodeDraining:
		return 503
	case CodeTooLarge:
		return 413
	case CodeDenied, CodeToolChanged:
		return 403
	case CodeNoRoute:
		return 404
	case CodeParse, CodeInvalid, CodeHeader:
		return 400
	}
	return 502
}
