package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// counts is a Recorder and a function that reads its numbers, by name.
func counts(t *testing.T) (*Recorder, func() map[string]metricdata.Aggregation) {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	r, err := New(Options{Meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
	if err != nil {
		t.Fatal(err)
	}
	return r, func() map[string]metricdata.Aggregation {
		var got metricdata.ResourceMetrics
		if err := reader.Collect(context.Background(), &got); err != nil {
			t.Fatal(err)
		}
		all := map[string]metricdata.Aggregation{}
		for _, s := range got.ScopeMetrics {
			for _, m := range s.Metrics {
				all[m.Name] = m.Data
			}
		}
		return all
	}
}

func TestAClientCannotMakeSeries(t *testing.T) {
	r, read := counts(t)
	for i := range 1000 {
		ctx, call := r.Call(t.Context(), http.Header{}, Message{Route: "r", Method: fmt.Sprint("x/", i), Name: fmt.Sprint("tool", i)})
		_, attempt := call.Attempt(ctx, http.Header{}, "h", 1, 1)
		attempt.End(Ending{})
		call.End(Ending{})
		_, call = r.Call(t.Context(), http.Header{}, Message{Route: "r", Method: "tools/call", Name: fmt.Sprint("tool", i)})
		call.End(Ending{})
	}
	for name, want := range map[string]int{"mcp.server.operation.duration": 2, "mcp.client.operation.duration": 1} {
		h := read()[name].(metricdata.Histogram[float64])
		if len(h.DataPoints) != want {
			t.Errorf("%s has %d series of 2,000 names, want %d", name, len(h.DataPoints), want)
		}
		bounds := []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300}
		if !slices.Equal(h.DataPoints[0].Bounds, bounds) {
			t.Errorf("%s has boundaries %v", name, h.DataPoints[0].Bounds)
		}
	}
}

func TestCallsUnderWayAreCountedUpAndDown(t *testing.T) {
	r, read := counts(t)
	active := func() int64 { return read()["signet.calls.active"].(metricdata.Sum[int64]).DataPoints[0].Value }
	_, one := r.Call(t.Context(), http.Header{}, Message{Route: "r", Method: "ping"})
	_, two := r.Call(t.Context(), http.Header{}, Message{Route: "r", Method: "ping"})
	if got := active(); got != 2 {
		t.Errorf("%d under way, want 2", got)
	}
	one.End(Ending{})
	two.End(Ending{Reason: "dns"})
	if got := active(); got != 0 {
		t.Errorf("%d under way after both ended", got)
	}
}

func TestRefreshesAreCountedByResult(t *testing.T) {
	r, read := counts(t)
	r.Refreshed("a", "")
	r.Refreshed("a", "")
	r.Refreshed("a", "sso_expired")
	got := map[string]int64{}
	for _, p := range read()["signet.credentials.refreshes"].(metricdata.Sum[int64]).DataPoints {
		result, _ := p.Attributes.Value(attribute.Key(keyResult))
		why, _ := p.Attributes.Value(keyErrorType)
		got[result.AsString()+why.AsString()] = p.Value
	}
	if got["ok"] != 2 || got["failedsso_expired"] != 1 {
		t.Errorf("%v", got)
	}
}

func TestAFailedReloadLeavesTheTimeOfTheLastGoodOne(t *testing.T) {
	r, read := counts(t)
	good := time.Unix(1_700_000_000, 0)
	r.Reloaded(true, good, 3, "abc")
	r.Reloaded(false, good.Add(time.Hour), 0, "")
	all := read()
	if v := all["signet.config.last_reload.successful"].(metricdata.Gauge[int64]).DataPoints[0].Value; v != 0 {
		t.Errorf("successful = %d after a failure", v)
	}
	if v := all["signet.config.last_reload.success.timestamp"].(metricdata.Gauge[float64]).DataPoints[0].Value; v != 1_700_000_000 {
		t.Errorf("timestamp = %v", v)
	}
	if v := all["signet.routes"].(metricdata.Gauge[int64]).DataPoints[0].Value; v != 3 {
		t.Errorf("routes = %v", v)
	}
}

func TestOnlyTheHashThatServesIsASeries(t *testing.T) {
	r, read := counts(t)
	for _, hash := range []string{"one", "two"} {
		r.Reloaded(true, time.Unix(1, 0), 1, hash)
		r.Reloaded(false, time.Unix(2, 0), 0, "")
		points := read()["signet.config.info"].(metricdata.Gauge[int64]).DataPoints
		if len(points) != 1 || points[0].Value != 1 {
			t.Fatalf("%+v", points)
		}
		if got, _ := points[0].Attributes.Value(keyHash); got.AsString() != hash {
			t.Errorf("hash %q serves, want %q", got.AsString(), hash)
		}
	}
	r.Retiring(3)
	r.Retiring(-1)
	if n := read()["signet.routes.retiring"].(metricdata.Sum[int64]).DataPoints[0].Value; n != 2 {
		t.Errorf("%d routes are held, want 2", n)
	}
}

func TestCallsAreCountedUnderTheSameSeriesHoweverManyThereWere(t *testing.T) {
	r, read := counts(t)
	// An upstream may answer with any code; what is kept made is bounded.
	for i := range maxSeries + 10 {
		r.known.of(series{route: "r", errorType: fmt.Sprint(i)})
	}
	if n := len(r.known.made); n > maxSeries {
		t.Errorf("%d series are kept", n)
	}
	for range 3 {
		ctx, call := r.Call(t.Context(), http.Header{}, Message{Route: "r", Method: "tools/call"})
		_, attempt := call.Attempt(ctx, http.Header{}, "h", 1, 1)
		attempt.End(Ending{Status: 403, Reason: "access_denied"})
		call.End(Ending{Status: 403, Reason: "access_denied"})
	}
	for name, want := range map[string]string{
		"mcp.server.operation.duration": "[[error.type access_denied] [mcp.method.name tools/call] [signet.route r]]",
		"mcp.client.operation.duration": "[[error.type access_denied] [http.response.status_code 403] [mcp.method.name tools/call] [server.address h] [server.port 1] [signet.route r]]",
	} {
		points := read()[name].(metricdata.Histogram[float64]).DataPoints
		if len(points) != 1 || points[0].Count != 3 || fmt.Sprint(shown(points[0].Attributes)) != want {
			t.Errorf("%s: %d series, the first %d times: %v, want %s 3 times", name, len(points), points[0].Count, shown(points[0].Attributes), want)
		}
	}
}

// shown are a set's attributes as text.
func shown(set attribute.Set) (all [][2]string) {
	for _, a := range set.ToSlice() {
		all = append(all, [2]string{string(a.Key), a.Value.String()})
	}
	return all
}
