package credentials

import (
	"time"

	"go.opentelemetry.io/otel/trace"
)

// Options shape a Cache. The zero value works.
type Options struct {
	// Name is the route's, for spans.
	Name string

	// Timeout bounds one fetch. Zero: 45 s.
	Timeout time.Duration

	// Wait bounds how long Get waits when there is nothing to sign with. Zero: 10 s.
	Wait time.Duration

	// Observe is told once of each fetch when it ends, but not of one that Close ended. Nil: nobody is.
	Observe func(Refresh)

	// Tracer makes a span of each fetch. Nil: none.
	Tracer trace.Tracer
}

// A Refresh is one fetch that ended.
type Refresh struct {
	// Took is how long it took, Err why it failed, an *Error, and Seq the generation it made, if any.
	Took time.Duration
	Err  error
	Seq  uint64
}

// Reason is the class of the failure. Empty: it did not fail.
func (r Refresh) Reason() string {
	if r.Err == nil {
		return ""
	}
	return asError(r.Err).Reason
}
