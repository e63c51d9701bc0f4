package main

import (
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// testSpan is a span of trace number call, begun and ended at milliseconds.
func testSpan(call, id, parent byte, name string, begin, end int) endedSpan {
	zero := time.Unix(1, 0)
	return endedSpan{
		trace: trace.TraceID{call}, id: trace.SpanID{id}, parent: trace.SpanID{parent}, name: name,
		start: zero.Add(time.Duration(begin) * time.Millisecond), end: zero.Add(time.Duration(end) * time.Millisecond),
	}
}

func TestTraceIsPrintedAsATree(t *testing.T) {
	call := testSpan(1, 1, 9, "tools/call echo", 0, 30)
	call.kind = trace.SpanKindServer
	call.attributes = map[string]string{"signet.route": "docs"}
	spans := []endedSpan{
		call,
		testSpan(1, 2, 1, "credentials", 1, 20),
		testSpan(1, 3, 2, "sts", 2, 19),
		testSpan(1, 4, 1, "attempt", 21, 29),
	}
	var out strings.Builder
	printTree(&out, spans)
	const want = `  tools/call echo (server)               +0.00 ms    30 ms  route docs
  ├─ credentials                         +1.00 ms    19 ms  
  │  └─ sts                              +2.00 ms    17 ms  
  └─ attempt                               +21 ms  8.00 ms  
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestRichestTraceIsTheOneWithMostSteps(t *testing.T) {
	d := new(demoTrace)
	d.keep(testSpan(1, 1, 0, "long", 0, 500))
	d.keep(testSpan(2, 2, 1, "child", 2, 3))
	d.keep(testSpan(2, 1, 0, "root", 0, 9))
	got := d.richest()
	if len(got) != 2 || got[0].name != "root" || got[1].name != "child" {
		t.Errorf("got %+v, want the two of trace 2 in the order they began", got)
	}
}

func TestTraceRemembersNoMoreThanItsBound(t *testing.T) {
	d := new(demoTrace)
	for range maxDemoSpans + 1 {
		d.keep(endedSpan{})
	}
	if len(d.spans) != maxDemoSpans {
		t.Errorf("%d spans kept", len(d.spans))
	}
}

func TestDurationsFitTheirColumn(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.00 ms", 412 * time.Microsecond: "0.41 ms", 9990 * time.Microsecond: "9.99 ms", 182 * time.Millisecond: "182 ms",
	} {
		if got := milliseconds(d); got != want {
			t.Errorf("%v is shown as %q, want %q", d, got, want)
		}
	}
}
