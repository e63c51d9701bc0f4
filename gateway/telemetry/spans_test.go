package telemetry

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// spans is a Recorder and what it records.
func spans(t *testing.T) (*Recorder, *tracetest.InMemoryExporter) {
	t.Helper()
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	r, err := New(Options{Tracers: provider})
	if err != nil {
		t.Fatal(err)
	}
	return r, exporter
}

// line is a span as one line: kind, name, status and attributes.
func line(s tracetest.SpanStub) string {
	var attrs []string
	for _, a := range s.Attributes {
		attrs = append(attrs, fmt.Sprintf("%s=%s", a.Key, a.Value.String()))
	}
	slices.Sort(attrs)
	status := ""
	if s.Status.Code != codes.Unset {
		status = fmt.Sprintf(" [%s: %s]", s.Status.Code, s.Status.Description)
	}
	return fmt.Sprintf("%s %q%s %s", s.SpanKind, s.Name, status, strings.Join(attrs, " "))
}

func TestACallIsAServerSpanWithAClientSpanBelow(t *testing.T) {
	r, exporter := spans(t)
	ctx, call := r.Call(context.Background(), http.Header{}, Message{
		Route: "aws", Snapshot: 7, Caller: "alice", Remote: "127.0.0.1:5000", Method: "tools/call", Name: "read",
		ID: []byte(`"a"`), Version: "2025-11-25", Session: "s1", Size: 5,
	})
	h := http.Header{}
	_, attempt := call.Attempt(ctx, h, "up.example", 443, 1)
	attempt.Signed(Signature{
		Source: `profile "dev"`, Via: "role chain", Generation: 3, KeyID: "ASIA…1234", Account: "111122223333",
		Role: "arn:aws:iam::111122223333:role/r", Age: 90 * time.Second, Skew: -time.Hour,
	})
	attempt.Again("clock_skew", 1)
	attempt.Answered(Response{
		Status: 200, Protocol: "HTTP/2.0", Reused: true,
		Connected: attempt.began.Add(time.Second), Begun: attempt.began.Add(3 * time.Second),
	})
	attempt.End(Ending{})
	call.End(Ending{Events: 2, Bytes: 9})

	got := exporter.GetSpans()
	if len(got) != 2 {
		t.Fatalf("%d spans", len(got))
	}
	want := []string{
		`client "tools/call read" gen_ai.operation.name=execute_tool gen_ai.tool.name=read http.request.resend_count=1 http.response.status_code=200 jsonrpc.request.id=a mcp.method.name=tools/call mcp.protocol.version=2025-11-25 mcp.session.id=s1 network.protocol.name=http network.protocol.version=2 network.transport=tcp server.address=up.example server.port=443 signet.attempt=1 signet.clock_skew_seconds=-3600 signet.connection.reused=true signet.connection.wait_seconds=1 signet.credentials.account=111122223333 signet.credentials.age_seconds=90 signet.credentials.generation=3 signet.credentials.key_id=ASIA…1234 signet.credentials.role=arn:aws:iam::111122223333:role/r signet.credentials.source=profile "dev" signet.credentials.via=role chain signet.first_byte_seconds=2 signet.outcome=answered signet.request.bytes=5 signet.retry.reason=clock_skew signet.route=aws`,
		`server "tools/call read" client.address=127.0.0.1 client.port=5000 gen_ai.operation.name=execute_tool gen_ai.tool.name=read jsonrpc.request.id=a mcp.method.name=tools/call mcp.protocol.version=2025-11-25 mcp.session.id=s1 network.protocol.name=http network.transport=tcp signet.client=alice signet.outcome=answered signet.request.bytes=5 signet.response.bytes=9 signet.response.events=2 signet.route=aws signet.snapshot=7`,
	}
	for i := range want {
		if line(got[i]) != want[i] {
			t.Errorf("span %d:\n%s\nwant\n%s", i, line(got[i]), want[i])
		}
	}
	if got[0].Parent.SpanID() != got[1].SpanContext.SpanID() || got[0].Parent.TraceID() != got[1].SpanContext.TraceID() {
		t.Error("the CLIENT span is not below the SERVER span")
	}
	if want := fmt.Sprintf("00-%s-%s-01", got[0].SpanContext.TraceID(), got[0].SpanContext.SpanID()); h.Get("traceparent") != want {
		t.Errorf("the upstream is told %q, want %q", h.Get("traceparent"), want)
	}
	if call.TraceID() != got[1].SpanContext.TraceID().String() {
		t.Errorf("TraceID = %s", call.TraceID())
	}
}

func TestWhatCountsAsAnErrorDependsOnTheSide(t *testing.T) {
	for name, test := range map[string]struct {
		ending         Ending
		kind           string
		server, client codes.Code
	}{
		"ok":                 {Ending{}, "", codes.Unset, codes.Unset},
		"a tool's own error": {Ending{ToolError: true}, "tool_error", codes.Error, codes.Error},
		"bad arguments":      {Ending{Code: -32602, Message: "m"}, "-32602", codes.Unset, codes.Error},
		"internal":           {Ending{Code: -32603, Message: "m"}, "-32603", codes.Error, codes.Error},
		"ours":               {Ending{Code: -31002, Reason: "first_byte", Outcome: "unknown", Message: "m"}, "first_byte", codes.Error, codes.Error},
		"the client left":    {Ending{Outcome: "client_cancelled"}, "", codes.Unset, codes.Unset},
	} {
		t.Run(name, func(t *testing.T) {
			r, exporter := spans(t)
			ctx, call := r.Call(context.Background(), http.Header{}, Message{Route: "r", Method: "tools/call"})
			_, attempt := call.Attempt(ctx, http.Header{}, "h", 1, 1)
			attempt.End(test.ending)
			call.End(test.ending)
			got := exporter.GetSpans()
			if got[0].Status.Code != test.client || got[1].Status.Code != test.server {
				t.Errorf("status %v and %v, want %v and %v", got[0].Status.Code, got[1].Status.Code, test.client, test.server)
			}
			if kind := value(got[1], keyErrorType); kind != test.kind {
				t.Errorf("error.type = %q, want %q", kind, test.kind)
			}
			if outcome := value(got[1], keyOutcome); outcome != cmp.Or(test.ending.Outcome, answered) {
				t.Errorf("outcome = %q", outcome)
			}
		})
	}
}

func value(s tracetest.SpanStub, key attribute.Key) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

func TestParentIsThatOfTheMessageThenThatOfTheHeaders(t *testing.T) {
	const (
		meta   = "00-11111111111111111111111111111111-1111111111111111-01"
		header = "00-22222222222222222222222222222222-2222222222222222-01"
	)
	for name, test := range map[string]struct {
		meta, header string
		parent, link string
	}{
		"neither":           {"", "", "0000000000000000", ""},
		"headers":           {"", header, "2222222222222222", ""},
		"message":           {meta, "", "1111111111111111", ""},
		"both":              {meta, header, "1111111111111111", "2222222222222222"},
		"both the same":     {meta, meta, "1111111111111111", ""},
		"broken, headers":   {"00-zz", header, "2222222222222222", ""},
		"broken and broken": {"x", "y", "0000000000000000", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, exporter := spans(t)
			h := http.Header{}
			h.Set("traceparent", test.header)
			_, call := r.Call(context.Background(), h, Message{Method: "ping", Traceparent: test.meta})
			call.End(Ending{})
			got := exporter.GetSpans()[0]
			link := ""
			if len(got.Links) == 1 {
				link = got.Links[0].SpanContext.SpanID().String()
			}
			if got.Parent.SpanID().String() != test.parent || link != test.link {
				t.Errorf("parent %s link %q, want %s and %q", got.Parent.SpanID(), link, test.parent, test.link)
			}
		})
	}
}

func TestSpansOfOtherMessages(t *testing.T) {
	for _, test := range []struct {
		message Message
		name    string
		has     string
		lacks   attribute.Key
	}{
		{Message{Method: "prompts/get", Name: "p"}, "prompts/get p", keyPrompt, keyTool},
		{Message{Method: "resources/read", Name: "file:///x"}, "resources/read", keyResource, keyTool},
		{Message{Method: "tools/list", ID: []byte("1")}, "tools/list", keyRequestID, keyTool},
		{Message{Method: "notifications/initialized"}, "notifications/initialized", keyMethod, keyRequestID},
		{Message{Method: "ping", ID: []byte("null")}, "ping", keyMethod, keyRequestID},
		{Message{Method: "tools/list", Version: "2026-07-28", Session: "s"}, "tools/list", keyProtocolVersion, keySession},
		{Message{Method: "GET", Session: "s"}, "GET", keySession, keyRequestID},
	} {
		r, exporter := spans(t)
		_, call := r.Call(context.Background(), http.Header{}, test.message)
		call.End(Ending{})
		got := exporter.GetSpans()[0]
		if got.Name != test.name || value(got, attribute.Key(test.has)) == "" || value(got, test.lacks) != "" {
			t.Errorf("%+v: %s", test.message, line(got))
		}
	}
}

func TestASpanKeepsItsAttributesWhenTheNextIsTold(t *testing.T) {
	r, exporter := spans(t)
	for _, route := range []string{"one", "two", "three"} {
		ctx, call := r.Call(t.Context(), http.Header{}, Message{Route: route, Method: "ping"})
		_, attempt := call.Attempt(ctx, http.Header{}, route+".example", 443, 1)
		attempt.End(Ending{})
		call.End(Ending{})
	}
	for i, s := range exporter.GetSpans() {
		want := []string{"one", "two", "three"}[i/2]
		if got := line(s); !strings.Contains(got, "signet.route="+want) || i%2 == 0 && !strings.Contains(got, "server.address="+want+".example") {
			t.Errorf("a span of route %q became %s", want, got)
		}
	}
}
