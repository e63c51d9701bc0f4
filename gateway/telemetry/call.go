package telemetry

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// A Message is what is told of an inbound message when its span begins.
type Message struct {
	// Route and Snapshot say what served it.
	Route    string
	Snapshot uint64

	// Caller is the name of the key it came with. Empty when callers have none.
	Caller string

	// Remote is the client's address, host:port.
	Remote string

	// Method is the JSON-RPC method; "response" or "batch" for messages without one, else the HTTP method.
	Method string

	// Name is the tool, prompt or resource it is about. Empty when there is none or it is ambiguous.
	Name string

	// ID is the request's id as it stands in the body. Nil for messages without one.
	ID []byte

	// Version is the protocol revision, and Session the session id, of the headers.
	Version, Session string

	// Traceparent and Tracestate are those of params._meta; they win over the headers'.
	Traceparent, Tracestate string
}

// A Call is one inbound message's span and timer. It is used by one goroutine.
type Call struct {
	recorder *Recorder
	message  Message
	name     string // of its spans
	began    time.Time
	span     trace.Span // nil when spans are off
}

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

	// Outcome is the errors' not_sent, rejected or unknown. Empty on success.
	Outcome string

	// Events is how many events the answer had.
	Events int
}

// Call begins the span of an inbound message. The context carries it on.
func (r *Recorder) Call(ctx context.Context, h http.Header, m Message) (context.Context, *Call) {
	c := &Call{recorder: r, message: m, began: time.Now()}
	r.active.Add(ctx, 1, r.known.of(series{route: m.Route}).add...)
	if r.tracer == nil {
		return ctx, c
	}
	c.name = m.spanName()
	ctx, links := r.parent(ctx, h, m)
	options := r.serving
	if links != nil {
		options = append(slices.Clip(options), trace.WithLinks(links...))
	}
	if ctx, c.span = r.tracer.Start(ctx, c.name, options...); c.span.IsRecording() {
		r.tell(c.span, func(attrs []attribute.KeyValue) []attribute.KeyValue { return m.origin(m.attributes(attrs)) })
	}
	return ctx, c
}

// parent is the caller's trace context: that of params._meta when it is valid, with a link to the one of
// the headers if that is another, else that of the headers.
func (r *Recorder) parent(ctx context.Context, h http.Header, m Message) (context.Context, []trace.Link) {
	byHeader := r.propagator.Extract(ctx, propagation.HeaderCarrier(h))
	if m.Traceparent == "" {
		return byHeader, nil
	}
	byMeta := propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{
		"traceparent": m.Traceparent, "tracestate": m.Tracestate,
	})
	parent := trace.SpanContextFromContext(byMeta)
	if !parent.IsValid() {
		return byHeader, nil
	}
	ambient := trace.SpanContextFromContext(byHeader)
	if !ambient.IsValid() || ambient.SpanID() == parent.SpanID() {
		return byMeta, nil
	}
	return byMeta, []trace.Link{{SpanContext: ambient}}
}

// Wait begins a child span of the call for something it waits for, and returns what ends it.
func (c *Call) Wait(ctx context.Context, name string) (end func()) {
	if c.recorder.tracer == nil {
		return func() {}
	}
	_, span := c.recorder.tracer.Start(ctx, name)
	return func() { span.End() }
}

// TraceID is the call's trace, for the error a client sees. Empty when spans are off.
func (c *Call) TraceID() string {
	if c.span == nil || !c.span.SpanContext().HasTraceID() {
		return ""
	}
	return c.span.SpanContext().TraceID().String()
}

// End ends the span and counts the call. It is called once, after the last byte.
func (c *Call) End(e Ending) {
	ctx, r, route := context.Background(), c.recorder, c.message.Route
	r.active.Add(ctx, -1, r.known.of(series{route: route}).add...)
	counted := series{route: route, method: metricMethod(c.message.Method), errorType: e.errorType()}
	r.server.Record(ctx, time.Since(c.began).Seconds(), r.known.of(counted).record...)
	if c.span == nil {
		return
	}
	e.mark(c.span, e.serverFault())
	c.span.End()
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

// mark writes an ending onto a span.
func (e Ending) mark(span trace.Span, fault bool) {
	if !span.IsRecording() {
		return
	}
	if t := e.errorType(); t != "" {
		span.SetAttributes(attribute.String(keyErrorType, t))
	}
	if e.Code != 0 {
		span.SetAttributes(attribute.String(keyStatusCode, strconv.Itoa(e.Code)))
	}
	if e.Outcome != "" {
		span.SetAttributes(attribute.String(keyOutcome, e.Outcome))
	}
	if e.Events != 0 {
		span.SetAttributes(attribute.Int(keyEvents, e.Events))
	}
	if fault {
		span.SetStatus(codes.Error, e.Message)
	}
}

// spanName is "{method} {target}"; a resource's URI is no target, by the conventions.
func (m Message) spanName() string {
	if m.Name == "" || m.isResource() {
		return m.Method
	}
	return m.Method + " " + m.Name
}

func (m Message) isResource() bool {
	switch m.Method {
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		return true
	}
	return false
}

// attributes appends those that a call's SERVER and CLIENT spans share.
func (m Message) attributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	attrs = append(attrs,
		attribute.String(keyRoute, m.Route),
		attribute.String(keyMethod, m.Method),
		attribute.String(keyTransport, "tcp"),
		attribute.String(keyProtocol, "http"))
	if len(m.ID) != 0 && string(m.ID) != "null" {
		attrs = append(attrs, attribute.String(keyRequestID, unquote(m.ID)))
	}
	if m.Version != "" {
		attrs = append(attrs, attribute.String(keyProtocolVersion, m.Version))
	}
	if m.Session != "" && m.Version < sessionless {
		attrs = append(attrs, attribute.String(keySession, m.Session))
	}
	switch {
	case m.Name == "":
	case m.Method == "tools/call":
		attrs = append(attrs, attribute.String(keyTool, m.Name), attribute.String(keyOperation, "execute_tool"))
	case m.Method == "prompts/get":
		attrs = append(attrs, attribute.String(keyPrompt, m.Name))
	case m.isResource():
		attrs = append(attrs, attribute.String(keyResource, m.Name))
	}
	return attrs
}

// origin appends the attributes of the SERVER span alone.
func (m Message) origin(attrs []attribute.KeyValue) []attribute.KeyValue {
	attrs = append(attrs, attribute.Int64(keySnapshot, int64(m.Snapshot)))
	if m.Caller != "" {
		attrs = append(attrs, attribute.String(keyCaller, m.Caller))
	}
	host, port, err := net.SplitHostPort(m.Remote)
	if err != nil {
		return attrs
	}
	attrs = append(attrs, attribute.String(keyClient, host))
	if n, err := strconv.Atoi(port); err == nil {
		attrs = append(attrs, attribute.Int(keyClientPort, n))
	}
	return attrs
}

// unquote is an id as the attribute holds it: a string without its quotes, a number as it stands.
func unquote(id []byte) string {
	if id[0] != '"' {
		return string(id)
	}
	if s, err := strconv.Unquote(string(id)); err == nil {
		return s
	}
	return string(id)
}
