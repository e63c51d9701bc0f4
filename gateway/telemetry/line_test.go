package telemetry

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
)

func TestALineOfACallHasTheKeysOfItsSpans(t *testing.T) {
	r, exporter := spans(t)
	ctx, call := r.Call(t.Context(), http.Header{}, Message{
		Route: "aws", Snapshot: 7, Caller: "alice", Remote: "127.0.0.1:5000", Method: "tools/call", Name: "read", ID: []byte("1"),
	})
	_, attempt := call.Attempt(ctx, http.Header{}, "up.example", 443, 1)
	attempt.Signed(Signature{Source: "environment", Generation: 3, KeyID: "ASIA…1234", Account: "111122223333"})
	attempt.Answered(Response{Status: 403, Protocol: "HTTP/1.1"})
	e := Ending{Code: -31011, Reason: "access_denied", Outcome: "rejected", Message: "why", Status: 403}
	attempt.End(e)
	line := map[string]string{}
	for _, a := range call.Line(e) {
		if _, twice := line[a.Key]; twice {
			t.Errorf("%s stands twice", a.Key)
		}
		line[a.Key] = a.Value.String()
	}
	call.End(e)
	got := exporter.GetSpans()
	for _, a := range slices.Concat(got[0].Attributes, got[1].Attributes) {
		if line[string(a.Key)] != a.Value.String() {
			t.Errorf("%s is %q in the line and %q on a span", a.Key, line[string(a.Key)], a.Value.String())
		}
	}
	for key, want := range map[string]string{
		"cause": "why", "trace_id": got[1].SpanContext.TraceID().String(), "span_id": got[1].SpanContext.SpanID().String(),
	} {
		if line[key] != want {
			t.Errorf("%s is %q, want %q", key, line[key], want)
		}
	}
	if line[keyDuration] == "" {
		t.Error("it does not say how long it took")
	}
}

func TestArgumentsAreToldOnlyWhenAskedFor(t *testing.T) {
	r, exporter := spans(t)
	told := func(arguments string) (string, bool) {
		exporter.Reset()
		ctx, call := r.Call(t.Context(), http.Header{}, Message{Method: "tools/call", Arguments: []byte(arguments)})
		_, attempt := call.Attempt(ctx, http.Header{}, "h", 1, 1)
		attempt.End(Ending{})
		call.End(Ending{})
		for _, a := range exporter.GetSpans()[0].Attributes {
			if a.Key == keyArguments {
				t.Error("the CLIENT span tells them as well")
			}
		}
		for _, a := range exporter.GetSpans()[1].Attributes {
			if a.Key == keyArguments {
				return a.Value.AsString(), true
			}
		}
		return "", false
	}
	if got, ok := told(`{"a":1}`); ok {
		t.Errorf("told %q unasked", got)
	}
	r.Capture(true)
	if got, _ := told(`{"a":1}`); got != `{"a":1}` {
		t.Errorf("told %q", got)
	}
	if got, _ := told(strings.Repeat("ä", maxArguments)); got != strings.Repeat("ä", maxArguments/2)+"…" {
		t.Errorf("told %d bytes, ending in %q", len(got), got[len(got)-8:])
	}
	r.Capture(false)
	if got, ok := told(`{"a":1}`); ok {
		t.Errorf("told %q after it was taken back", got)
	}
}

func TestForeignWordsAreCutAndAreUTF8(t *testing.T) {
	for in, want := range map[string]string{
		"abc": "abc", "\xffa": "�a", strings.Repeat("x", maxWord+1): strings.Repeat("x", maxWord) + "…",
		strings.Repeat("x", maxWord-1) + "ä": strings.Repeat("x", maxWord-1) + "…",
		strings.Repeat("x", maxWord-2) + "ä": strings.Repeat("x", maxWord-2) + "ä",
	} {
		if got := word(in); got != want {
			t.Errorf("%d bytes become %q...", len(in), got[max(0, len(got)-12):])
		}
	}
	r, exporter := spans(t)
	long := strings.Repeat("y", 1<<20)
	_, call := r.Call(t.Context(), http.Header{}, Message{Route: "r", Method: long, Name: long, ID: []byte(long), Version: long, Session: long})
	call.End(Ending{Message: long, Reason: "internal"})
	s := exporter.GetSpans()[0]
	size := len(s.Name) + len(s.Status.Description)
	for _, a := range s.Attributes {
		if a.Value.Type() == attribute.STRING {
			size += len(a.Value.AsString())
		}
	}
	if size > 10*maxWord {
		t.Errorf("a span of %d bytes", size)
	}
}
