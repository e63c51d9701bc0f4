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

func TestATraceGoesOnFromTheClientToTheUpstream(t *testing.T) {
	type way struct {
		header, meta  string
		trace, parent string // of the SERVER span; empty: it begins a trace
		linked        string // the trace of its link
	}
	ways := map[string]way{
		"header":         {header: byHeader, trace: headerTrace, parent: headerSpan},
		"meta":           {meta: byMeta, trace: metaTrace, parent: metaSpan},
		"both":           {header: byHeader, meta: byMeta, trace: metaTrace, parent: metaSpan, linked: headerTrace},
		"same":           {header: byMeta, meta: byMeta, trace: metaTrace, parent: metaSpan},
		"header,bad":     {header: byHeader, meta: "00-nonsense", trace: headerTrace, parent: headerSpan},
		"neither":        {},
		"neither,though": {header: "00-nonsense", meta: strings.Repeat("0", 55)},
	}
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			s := newStage(t, setting{protocol: protocol})
			for tool, w := range ways {
				meta := ""
				if w.meta != "" {
					meta = `"traceparent":"` + w.meta + `"`
				}
				var headers []string
				if w.header != "" {
					headers = []string{"Traceparent", w.header}
				}
				if got := s.post(t.Context(), "main", called(tool, meta), headers...); !strings.Contains(got, argument) {
					t.Fatalf("%s: %s", tool, got)
				}
			}
			all := s.end()
			for tool, w := range ways {
				served, sent, came := all.of(t, server, tool), all.of(t, client, tool), s.upstream.received(tool)
				if w.trace != "" && served.TraceID != w.trace || served.ParentSpanID != w.parent {
					t.Errorf("%s: SERVER span of trace %q below %q, want %q below %q", tool, served.TraceID, served.ParentSpanID, w.trace, w.parent)
				}
				if got := linkedTo(served); got != w.linked {
					t.Errorf("%s: SERVER span is linked to %q, want %q", tool, got, w.linked)
				}
				if sent.TraceID != served.TraceID || sent.ParentSpanID != served.SpanID {
					t.Errorf("%s: CLIENT span %+v is not below the SERVER span %+v", tool, sent, served)
				}
				want := "00-" + sent.TraceID + "-" + sent.SpanID + "-01"
				if len(came) != 1 || came[0].header != want || came[0].meta != w.meta {
					t.Errorf("%s: the upstream got %+v, want the header %s and the body as it was", tool, came, want)
				}
			}
		})
	}
}

// linkedTo is the traces that a span is linked to.
func linkedTo(s span) string {
	var traces []string
	for _, l := range s.Links {
		traces = append(traces, l.TraceID)
	}
	return strings.Join(traces, " ")
}
