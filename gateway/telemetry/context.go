package telemetry

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/propagation"
)

const (
	// traceparentSize is the length of a traceparent, version 00.
	traceparentSize = 55

	// maxTracestate is how long a caller's tracestate may be; a longer one is left out, as W3C allows.
	maxTracestate = 512
)

// A bounded is a carrier that is read, without what is too long to be read at all.
type bounded struct{ propagation.TextMapCarrier }

// Get is a value, or empty.
func (b bounded) Get(key string) string {
	if v := b.TextMapCarrier.Get(key); len(v) <= maxTracestate {
		return v
	}
	return ""
}

// passing is a caller's trace context as its headers have it: where no spans are made its trace goes on to the
// upstream all the same. The zero value is none.
type passing struct{ parent, state []string }

func passedOn(h http.Header) passing {
	parent, state := h["Traceparent"], h["Tracestate"]
	if len(parent) != 1 || !whole(parent[0]) {
		return passing{}
	}
	if len(state) != 1 || len(state[0]) > maxTracestate {
		state = nil
	}
	return passing{parent, state}
}

// into writes it into headers.
func (p passing) into(h http.Header) {
	if p.parent != nil {
		h["Traceparent"] = p.parent
	}
	if p.state != nil {
		h["Tracestate"] = p.state
	}
}

// whole reports whether s has the form of a traceparent, version 00, that names a trace and a span.
func whole(s string) bool {
	if len(s) != traceparentSize || s[:3] != "00-" || s[35] != '-' || s[52] != '-' {
		return false
	}
	for _, part := range [...]string{s[3:35], s[36:52]} {
		if strings.Trim(part, "0123456789abcdef") != "" || strings.Trim(part, "0") == "" {
			return false
		}
	}
	return strings.Trim(s[53:], "0123456789abcdef") == ""
}
