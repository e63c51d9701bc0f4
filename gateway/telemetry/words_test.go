package telemetry

import (
	"fmt"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// called counts one call of a tool that ends so.
func called(t *testing.T, r *Recorder, route, tool string, e Ending) {
	t.Helper()
	ctx, call := r.Call(t.Context(), http.Header{}, Message{Route: route, Method: "tools/call", Name: tool})
	_, attempt := call.Attempt(ctx, http.Header{}, "h", 1, 1)
	attempt.End(e)
	call.End(e)
}

// lines is how many series Prometheus would have of all histograms: each bucket is one, and the sum and the count.
func lines(read map[string]metricdata.Aggregation) (n int) {
	for _, data := range read {
		if h, ok := data.(metricdata.Histogram[float64]); ok {
			for _, p := range h.DataPoints {
				n += len(p.BucketCounts) + 2
			}
		}
	}
	return n
}

func TestTenThousandRandomToolsMakeNoSeries(t *testing.T) {
	for name, e := range map[string]Ending{
		"an upstream that knows them all": {}, "one that knows none": {Code: -32602}, "one that fails each": {ToolError: true},
		"one that cannot be reached": {Code: -31001, Reason: "refused"}, "one with a code for each": {Code: 1},
	} {
		r, read := counts(t)
		for i := range 10_000 {
			if e.Code > 0 {
				e.Code = i + 1
			}
			called(t, r, "r", fmt.Sprint("tool-", i), e)
		}
		if n := lines(read()); n > 200 {
			t.Errorf("%s: %d series", name, n)
		}
	}
}

// The control: what is called again has a series of its own, and an attacker who knows that gets so many and no more.
func TestAToolThatIsCalledAgainHasItsOwnSeries(t *testing.T) {
	r, read := counts(t)
	tools := func() map[string]uint64 {
		all := map[string]uint64{}
		for _, p := range read()[metricServer].(metricdata.Histogram[float64]).DataPoints {
			tool, _ := p.Attributes.Value(keyTool)
			all[tool.AsString()] += p.Count
		}
		return all
	}
	for range 3 {
		called(t, r, "r", "read", Ending{})
	}
	called(t, r, "r", "read", Ending{ToolError: true})
	called(t, r, "other", "read", Ending{})
	if got := tools(); got["read"] != 3 || got[other] != 2 {
		t.Errorf("%v, want 3 of read, and 2 that were the first on their route", got)
	}
	for i := range 1000 {
		for range 3 {
			called(t, r, "r", fmt.Sprint("x", i), Ending{})
		}
	}
	called(t, r, "r", "\xff\xfe", Ending{})
	called(t, r, "r", "\xff\xfe", Ending{})
	if got := tools(); len(got) != maxWords+1 || got["\xff\xfe"] != 0 {
		t.Errorf("%d tools have series, want %d and %s", len(got), maxWords, other)
	}
}

func TestWordsAreBoundedForEachRouteAndForAll(t *testing.T) {
	var w words
	for i := range 2 * maxWordsOf {
		w.of(fmt.Sprint(i), "a", true)
	}
	for i := range 10 * maxSeen {
		w.of("r", fmt.Sprint(i), true)
	}
	if len(w.met) > maxWordsOf || len(w.met["r"].once) > maxSeen {
		t.Errorf("%d routes, %d words of one", len(w.met), len(w.met["r"].once))
	}
}
