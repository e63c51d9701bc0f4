package telemetry

import (
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// answered is the outcome of what the upstream answered, whatever it said.
const answered = "answered"

// An Ending is how a call or an attempt went. The zero value is success.
type Ending struct {
	// Code is the JSON-RPC error code of the answer. Zero: the answer is a result.
	Code int

	// Reason names the failure when it was not the upstream's JSON-RPC answer. Empty: it was.
	Reason string

	// ToolError says that the result has isError.
	ToolError bool

	// Message describes the failure. It must not hold secrets.
	Message string

	// Status is the HTTP status of the upstream. Zero: there was no response.
	Status int

	// Outcome is the errors' not_sent, rejected or unknown, or client_cancelled. Empty: the upstream answered.
	Outcome string

	// Events is how many events the answer had, and Bytes how long it was.
	Events int
	Bytes  int64
}

// errorType is error.type: empty on success.
func (e Ending) errorType() string {
	switch {
	case e.Reason != "":
		return e.Reason
	case e.Code != 0:
		return strconv.Itoa(e.Code)
	case e.ToolError:
		return "tool_error"
	}
	return ""
}

// good reports whether the answer is a result without an error in it.
func (e Ending) good() bool { return e.Outcome == "" && e.errorType() == "" }

// serverFault reports whether a SERVER span is an error. By the conventions a message that the caller got
// wrong is not one.
func (e Ending) serverFault() bool {
	if e.Reason != "" {
		return true
	}
	switch e.Code {
	case -32700, -32600, -32601, -32602, -32002:
		return false
	}
	return e.Code != 0 || e.ToolError
}

// attributes appends those of how it went.
func (e Ending) attributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	if t := e.errorType(); t != "" {
		attrs = append(attrs, attribute.String(keyErrorType, t))
	}
	if e.Code != 0 {
		attrs = append(attrs, attribute.String(keyStatusCode, strconv.Itoa(e.Code)))
	}
	outcome := e.Outcome
	if outcome == "" {
		outcome = answered
	}
	attrs = append(attrs, attribute.String(keyOutcome, outcome))
	if e.Events != 0 {
		attrs = append(attrs, attribute.Int(keyEvents, e.Events))
	}
	if e.Bytes != 0 {
		attrs = append(attrs, attribute.Int64(keyAnswered, e.Bytes))
	}
	return attrs
}

// close sets the status of a span, which is an error if so, and ends it.
func (e Ending) close(span trace.Span, fault bool, options ...trace.SpanEndOption) {
	if fault {
		span.SetStatus(codes.Error, word(e.Message))
	}
	span.End(options...)
}
