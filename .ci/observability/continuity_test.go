package observability

import (
	"strings"
	"testing"
)

// The trace contexts of a client: that of its HTTP request, and that of the message in it.
const (
	headerTrace, headerSpan = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	metaTrace, metaSpan     = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	byHeader                = "00-" + headerTrace + "-" + headerSpan + "-01"
	byMeta                  = "00-" + metaTrace + "-" + metaSpan + "-01"
)

// A way is how a client says which trace a call is of, and what that has to come to.
type way struct {
	header, meta  string
	trace, parent string // of the SERVER span; empty: it begins a trace
	linked        string // the trace of its link
}

// ways are by the tool that is called.
func ways() map[string]way {
	return map[string]way{
		"header":         {header: byHeader, trace: headerTrace, parent: headerSpan},
		"meta":           {meta: byMeta, trace: metaTrace, parent: metaSpan},
		"both":           {header: byHeader, meta: byMeta, trace: metaTrace, parent: metaSpan, linked: headerTrace},
		"same":           {header: byMeta, meta: byMeta, trace: metaTrace, parent: metaSpan},
		"header,bad":     {header: byHeader, meta: "00-nonsense", trace: headerTrace, parent: headerSpan},
		"neither":        {},
		"neither,though": {header: "00-nonsense", meta: strings.Repeat("0", 55)},
	}
}

func TestATraceGoesOnFromTheClientToTheUpstream(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			s := newStage(t, setting{protocol: protocol})
			for tool, w := range ways() {
				s.callBy(w, "main", tool)
				s.callBy(w, "meta", "told,"+tool)
			}
			all := s.end()
			for tool, w := range ways() {
				// A body goes on as it was, unless the route has trace_meta.
				if sent := s.follow(all, w, tool); s.received(tool).meta != w.meta {
					t.Errorf("%s: the upstream got the meta %q of %s", tool, s.received(tool).meta, sent)
				}
				if sent := s.follow(all, w, "told,"+tool); s.received("told,"+tool).meta != sent {
					t.Errorf("%s: the upstream got the meta %q, want %s", tool, s.received("told,"+tool).meta, sent)
				}
			}
		})
	}
}

// callBy calls a tool with a trace.
func (s *stage) callBy(w way, route, tool string) {
	s.t.Helper()
	meta := ""
	if w.meta != "" {
		meta = `"traceparent":"` + w.meta + `"`
	}
	var headers []string
	if w.header != "" {
		headers = []string{"Traceparent", w.header}
	}
	if got := s.post(s.t.Context(), route, called(tool, meta), headers...); !strings.Contains(got, argument) {
		s.t.Fatalf("%s: %s", tool, got)
	}
}

// follow wants the spans of a tool's call to be of one trace, from the client to the upstream, and is the
// traceparent of the last.
func (s *stage) follow(all told, w way, tool string) string {
	s.t.Helper()
	served, sent := all.of(s.t, server, tool), all.of(s.t, client, tool)
	if w.trace != "" && served.TraceID != w.trace || served.ParentSpanID != w.parent {
		s.t.Errorf("%s: SERVER span of trace %q below %q, want %q below %q", tool, served.TraceID, served.ParentSpanID, w.trace, w.parent)
	}
	if got := linkedTo(served); got != w.linked {
		s.t.Errorf("%s: SERVER span is linked to %q, want %q", tool, got, w.linked)
	}
	if sent.TraceID != served.TraceID || sent.ParentSpanID != served.SpanID {
		s.t.Errorf("%s: CLIENT span %+v is not below the SERVER span %+v", tool, sent, served)
	}
	want := "00-" + sent.TraceID + "-" + sent.SpanID + "-01"
	if got := s.received(tool).header; got != want {
		s.t.Errorf("%s: the upstream got the header %q, want %s", tool, got, want)
	}
	return want
}

// received is what came for a tool. One request did, or the test has failed.
func (s *stage) received(tool string) arrival {
	s.t.Helper()
	came := s.upstream.received(tool)
	if len(came) != 1 {
		s.t.Fatalf("%s: %d requests reached the upstream, want 1", tool, len(came))
	}
	return came[0]
}

// linkedTo is the traces that a span is linked to.
func linkedTo(s span) string {
	var traces []string
	for _, l := range s.Links {
		traces = append(traces, l.TraceID)
	}
	return strings.Join(traces, " ")
}
