package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func TestLoadsAreWhatIsInUseWhenTheyAreRead(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	now := Loads{
		Memory: 5, MemoryLimit: 9, MemorySheds: 2,
		Routes:  []Load{{Route: "a", Calls: 1, Streams: 2, WaitingCalls: 3, WaitingStreams: 4, Sheds: map[string]uint64{"rate": 6}, Circuit: 2, Active: 7, Idle: 8}},
		Exports: []Export{{Signal: "traces", Exported: 10, QueueFull: 11, Failed: 12, Queued: 13}, {Signal: "metrics", Exported: 14, Failed: 15}},
	}
	_, err := New(Options{
		Meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), Loads: func() Loads { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	read := func() (lines []string) {
		var got metricdata.ResourceMetrics
		if err := reader.Collect(context.Background(), &got); err != nil {
			t.Fatal(err)
		}
		for _, m := range got.ScopeMetrics[0].Metrics {
			var points []metricdata.DataPoint[int64]
			switch data := m.Data.(type) {
			case metricdata.Gauge[int64]:
				points = data.DataPoints
			case metricdata.Sum[int64]:
				if !data.IsMonotonic {
					t.Errorf("%s may fall", m.Name)
				}
				points = data.DataPoints
			}
			for _, p := range points {
				words := []string{fmt.Sprintf("%s %d", m.Name, p.Value)}
				for _, a := range p.Attributes.ToSlice() {
					words = append(words, fmt.Sprintf("%s=%s", a.Key, a.Value.AsString()))
				}
				lines = append(lines, strings.Join(words, " "))
			}
		}
		slices.Sort(lines)
		return lines
	}
	want := []string{
		"signet.calls.running 1 signet.route=a", "signet.circuit.state 2 signet.route=a",
		"signet.memory.limit 9", "signet.memory.used 5",
		"signet.notifications.dropped 0 signet.route=", "signet.panics 0 signet.route=",
		"signet.pool.connections 7 signet.route=a signet.state=active", "signet.pool.connections 8 signet.route=a signet.state=idle",
		"signet.queue.length 3 signet.kind=call signet.route=a", "signet.queue.length 4 signet.kind=stream signet.route=a",
		"signet.sheds 2 signet.reason=memory", "signet.sheds 6 signet.reason=rate signet.route=a",
		"signet.streams.open 2 signet.route=a",
		"signet.telemetry.dropped 11 signet.reason=queue_full signet.signal=traces",
		"signet.telemetry.dropped 12 signet.reason=failed signet.signal=traces",
		"signet.telemetry.dropped 15 signet.reason=failed signet.signal=metrics",
		"signet.telemetry.exported 10 signet.signal=traces", "signet.telemetry.exported 14 signet.signal=metrics",
		"signet.telemetry.queue.length 13 signet.signal=traces",
	}
	if got := read(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	now.Routes = nil
	if got := read(); slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, "signet.route=a") }) {
		t.Errorf("a route that went has series: %s", strings.Join(got, "\n"))
	}
}

func TestAWaitThatHasEndedIsASpanFromItsBeginning(t *testing.T) {
	r, exporter := spans(t)
	ctx, call := r.Call(t.Context(), http.Header{}, Message{Route: "r", Method: "tools/call"})
	call.Waited(ctx, Wait{Time: time.Minute, Position: 3, Ahead: 1}, "call")
	call.End(Ending{})
	got := exporter.GetSpans()
	if len(got) != 2 || got[0].Parent.SpanID() != got[1].SpanContext.SpanID() {
		t.Fatalf("%+v", got)
	}
	if want := `internal "signet.queue.wait" signet.queue.ahead=1 signet.queue.position=3 signet.route=r`; line(got[0]) != want {
		t.Errorf("%s, want %s", line(got[0]), want)
	}
	if took := got[0].EndTime.Sub(got[0].StartTime); took.Round(time.Second) != time.Minute {
		t.Errorf("it took %s", took)
	}
	if value(got[1], keyWait) != "60" {
		t.Errorf("the call: %s", line(got[1]))
	}
	off, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, call = off.Call(t.Context(), http.Header{}, Message{Method: "ping"})
	call.Waited(ctx, Wait{Time: time.Minute}, "call") // of no effect
	call.End(Ending{})
}
