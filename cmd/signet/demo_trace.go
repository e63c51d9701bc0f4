package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// maxDemoSpans bounds what the demo remembers.
const maxDemoSpans = 50_000

// A demoTrace remembers the spans of the demo's calls.
type demoTrace struct {
	mu    sync.Mutex
	spans []endedSpan // under mu
}

func (d *demoTrace) keep(s endedSpan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.spans) < maxDemoSpans {
		d.spans = append(d.spans, s)
	}
}

// richest are the spans of the call with the most steps; of several, of the longest. A call that had to
// fetch credentials has more than others.
func (d *demoTrace) richest() []endedSpan {
	d.mu.Lock()
	defer d.mu.Unlock()
	traces := map[trace.TraceID][]endedSpan{}
	for _, s := range d.spans {
		traces[s.trace] = append(traces[s.trace], s)
	}
	var best []endedSpan
	for _, spans := range traces {
		if len(spans) > len(best) || len(spans) == len(best) && length(spans) > length(best) {
			best = spans
		}
	}
	slices.SortFunc(best, func(a, b endedSpan) int { return a.start.Compare(b.start) })
	return best
}

// length is the time from the first span's begin to the last one's end.
func length(spans []endedSpan) time.Duration {
	var first, last time.Time
	for _, s := range spans {
		if first.IsZero() || s.start.Before(first) {
			first = s.start
		}
		if s.end.After(last) {
			last = s.end
		}
	}
	return last.Sub(first)
}

// printTree shows spans as a tree, each with when it began, how long it took, and what it was about.
func printTree(w io.Writer, spans []endedSpan) {
	if len(spans) == 0 {
		return
	}
	known := map[trace.SpanID]bool{}
	for _, s := range spans {
		known[s.id] = true
	}
	for _, s := range spans {
		if !known[s.parent] {
			printSpan(w, spans, s, spans[0].start, "", "")
		}
	}
}

// printSpan prints one span behind lead, and those below it behind indent.
func printSpan(w io.Writer, spans []endedSpan, s endedSpan, zero time.Time, lead, indent string) {
	label := lead + s.name
	if s.kind == trace.SpanKindServer || s.kind == trace.SpanKindClient {
		label += " (" + s.kind.String() + ")"
	}
	fmt.Fprintf(w, "  %-38s %8s %8s  %s\n", label, "+"+milliseconds(s.start.Sub(zero)), milliseconds(s.end.Sub(s.start)), about(s))
	var below []endedSpan
	for _, child := range spans {
		if child.parent == s.id {
			below = append(below, child)
		}
	}
	for i, child := range below {
		if i == len(below)-1 {
			printSpan(w, spans, child, zero, indent+"└─ ", indent+"   ")
		} else {
			printSpan(w, spans, child, zero, indent+"├─ ", indent+"│  ")
		}
	}
}

// about is the one thing most worth knowing of a span.
func about(s endedSpan) string {
	for _, key := range []string{"error.type", "http.response.status_code", "signet.credentials.source", "signet.route"} {
		if value := s.attributes[key]; value != "" {
			return key[strings.LastIndexByte(key, '.')+1:] + " " + value
		}
	}
	return ""
}

// milliseconds is a duration as "0.41 ms" or "182 ms".
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 10 {
		return fmt.Sprintf("%.2f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}
