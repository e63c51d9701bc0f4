package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"signet/config"
	"signet/gateway/sandbox"
)

// overload calls a signed route whose upstream takes 100 ms with five times what its five places allow, for 10
// s. It returns how old the oldest signature was when it arrived, in whole seconds, and how many calls were
// answered and how many shed.
func overload(t *testing.T, change func(*config.Route)) (age time.Duration, served, shed int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
		var mu sync.Mutex
		r := c.routes["a"]
		r.Upstream = upstream(t, n, "up.test", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
			mu.Lock()
			age = max(age, time.Since(signed).Truncate(time.Second))
			mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			<-time.After(100 * time.Millisecond)
			answering(callAnswer)(w, r)
		})
		r.Limits.Calls, r.Limits.PerClient = 5, 0
		change(&r)
		b := newBench(t, n, settings(map[string]config.Route{"a": r}), Options{})
		b.as(t, "", "a", callBody)
		var calls sync.WaitGroup
		for range 2500 {
			calls.Go(func() {
				answer := b.as(t, "", "a", callBody)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case answer == callAnswer:
					served++
				case strings.Contains(answer, `"code":-31020`) && strings.Contains(answer, `"outcome":"not_sent"`):
					shed++
				default:
					t.Error(answer)
				}
			})
			<-time.After(4 * time.Millisecond)
		}
		calls.Wait()
	})
	return age, served, shed
}

func TestNothingWaitsBetweenSigningAndSendingUnderOverload(t *testing.T) {
	age, served, shed := overload(t, func(*config.Route) {})
	if age != 0 || served < 500 || served+shed != 2500 || shed == 0 {
		t.Errorf("a signature was %s old; %d calls served, %d shed", age, served, shed)
	}
	// The control: with places for all, they wait for one of five connections.
	age, served, _ = overload(t, func(r *config.Route) { r.Limits.Calls, r.Pool.MaxConnections = 5000, 4 })
	if age < 10*time.Second || served != 2500 {
		t.Errorf("waiting in the pool, the oldest of %d signatures was %s old: this shows nothing", served, age)
	}
}

func TestAWaitIsASpanOfACallThatWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		o, spans := traced()
		up := &busy{takes: 1500 * time.Millisecond}
		r := plain(upstream(t, n, "up.test", up.ServeHTTP))
		r.Limits.Calls = 1
		b := newBench(t, n, settings(map[string]config.Route{"r": r}), o)
		first := b.crowd(t, "", "r", 1)
		began, answers := time.Now(), b.crowd(t, "", "r", 2)
		<-first
		for range 2 {
			<-answers
		}
		var got []string
		for _, s := range spans.GetSpans() {
			line := told(s, "error.type", "signet.outcome", "signet.queue.wait_seconds", "signet.queue.position", "signet.queue.ahead")
			if strings.Contains(line, "queue") {
				got = append(got, fmt.Sprintf("%s, %s from %s", line, s.EndTime.Sub(s.StartTime), s.StartTime.Sub(began)))
			}
		}
		want := []string{
			`internal "signet.queue.wait" Unset signet.queue.position=1 signet.queue.ahead=0, 1.5s from 0s`,
			`internal "signet.queue.wait" Unset signet.queue.position=2 signet.queue.ahead=1, 2s from 0s`,
			`server "tools/call slow" Error error.type=queue_timeout signet.outcome=not_sent signet.queue.wait_seconds=2, 2s from 0s`,
			`server "tools/call slow" Unset signet.outcome=answered signet.queue.wait_seconds=1.5, 3s from 0s`,
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// numbers are what the metrics tell, as "name{labels} value" without the histograms.
func numbers(t *testing.T, reader *sdkmetric.ManualReader) []string {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range all.ScopeMetrics[0].Metrics {
		var points []metricdata.DataPoint[int64]
		switch data := m.Data.(type) {
		case metricdata.Gauge[int64]:
			points = data.DataPoints
		case metricdata.Sum[int64]:
			points = data.DataPoints
		}
		for _, p := range points {
			var labels []string
			for _, a := range p.Attributes.ToSlice() {
				labels = append(labels, a.Value.AsString())
			}
			lines = append(lines, fmt.Sprintf("%s{%s} %d", m.Name, strings.Join(labels, ","), p.Value))
		}
	}
	return lines
}

func TestStatusAndMetricsTellWhatIsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		reader := sdkmetric.NewManualReader()
		up := &busy{finish: make(chan struct{})}
		r := plain(upstream(t, n, "up.test", up.ServeHTTP))
		r.Limits.Calls, r.Limits.Queue, r.Limits.QueueWait = 2, 3, time.Minute
		b := newBench(t, n, keyed(settings(map[string]config.Route{
			"r": r, "broken": plain(upstream(t, n, "broken.test", status(502, "", ""))),
		}), "a", "b"), Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
		stream := must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8484/r", nil))
		stream.Header = http.Header{"Accept": {"text/event-stream"}, "Authorization": {"Bearer a"}}
		response, err := b.client.Do(stream)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		first, second := b.crowd(t, "a", "r", 4), b.crowd(t, "b", "r", 3)
		for range 5 {
			b.as(t, "a", "broken", callBody)
		}
		<-time.After(time.Second)
		text, _ := json.Marshal(b.gateway.Status())
		for _, want := range []string{
			`"limits":{"calls":{"running":2,"waiting":3,"clients":2},"streams":{"running":1,"waiting":0,"clients":1},"sheds":{"queue_full":2},"circuit":"closed"}`,
			`"limits":{"calls":{"running":0,"waiting":0,"clients":0},"streams":{"running":0,"waiting":0,"clients":0},"circuit":"open","open_for_seconds":4}`,
			fmt.Sprintf(`"memory":{"used":%d,"limit":268435456,"sheds":0}`, 5*len(callBody)),
		} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s\nis not in the status\n%s", want, text)
			}
		}
		got := numbers(t, reader)
		for _, want := range []string{
			"signet.calls.running{r} 2", "signet.streams.open{r} 1", "signet.queue.length{call,r} 3", "signet.queue.length{stream,r} 0",
			"signet.sheds{queue_full,r} 2", "signet.circuit.state{r} 0", "signet.circuit.state{broken} 2", "signet.calls.running{broken} 0",
			"signet.sheds{memory} 0", "signet.memory.limit{} 268435456", fmt.Sprintf("signet.memory.used{} %d", 5*len(callBody)),
		} {
			if !slices.Contains(got, want) {
				t.Errorf("%s is not in\n%s", want, strings.Join(got, "\n"))
			}
		}
		<-time.After(4 * time.Second)
		if got := numbers(t, reader); !slices.Contains(got, "signet.circuit.state{broken} 1") {
			t.Errorf("a circuit that may try: %s", strings.Join(got, "\n"))
		}
		close(up.finish)
		for range 4 {
			<-first
		}
		for range 3 {
			<-second
		}
	})
}

func TestALightCallHasAConnectionBesideTheFullPool(t *testing.T) {
	const ping, pong = `{"jsonrpc":"2.0","id":1,"method":"ping"}`, `{"jsonrpc":"2.0","id":1,"result":{}}`
	for connections, atOnce := range map[int]bool{3: true, 2: false} { // 2 is the control, which is warned of
		synctest.Test(t, func(t *testing.T) {
			up := &busy{finish: make(chan struct{})}
			b := alone(t, func(w http.ResponseWriter, r *http.Request) {
				if body, _ := io.ReadAll(r.Body); string(body) == ping {
					answering(pong)(w, r)
					return
				}
				up.ServeHTTP(w, r)
			}, func(r *config.Route) {
				r.Limits.Calls, r.Limits.Streams, r.Pool.MaxConnections = 2, 1, connections
			})
			stream := must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8484/r", nil))
			stream.Header.Set("Accept", "text/event-stream")
			response, err := b.client.Do(stream)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			answers := b.crowd(t, "", "r", 2)
			began := time.Now()
			_, body := b.post(t, "r", ping)
			if took := time.Since(began); (took == 0 && body == pong) != atOnce {
				t.Errorf("with %d connections: after %s %s", connections, took, body)
			}
			close(up.finish)
			for range 2 {
				<-answers
			}
		})
	}
}
