package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"signet/config"
	"signet/gateway/sandbox"
)

// measured is Options that count, and what reads the numbers that begin with a name, sorted.
func measured(t *testing.T) (Options, func(name string) []string) {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	return Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))}, func(name string) (lines []string) {
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		for _, m := range all.ScopeMetrics[0].Metrics {
			if strings.HasPrefix(m.Name, name) {
				lines = append(lines, points(m)...)
			}
		}
		slices.Sort(lines)
		return lines
	}
}

// points are the series of a metric, each as its name, labels and value: of a histogram, how many and their sum.
func points(m metricdata.Metrics) (lines []string) {
	add := func(set attribute.Set, value any) {
		var labels []string
		for _, a := range set.ToSlice() {
			labels = append(labels, string(a.Key)+"="+a.Value.String())
		}
		lines = append(lines, fmt.Sprintf("%s{%s} %v", m.Name, strings.Join(labels, " "), value))
	}
	switch data := m.Data.(type) {
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, p.Value)
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, p.Value)
		}
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, p.Value)
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, fmt.Sprint(p.Count, " ", p.Sum))
		}
	}
	return lines
}

func TestMetricsTellConnectionsInUseFromIdleOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		o, read := measured(t)
		release := make(chan struct{})
		b := newBench(t, n, settings(map[string]config.Route{"r": plain(upstream(t, n, "up.test", func(w http.ResponseWriter, r *http.Request) {
			<-release
			answering(callAnswer)(w, r)
		}))}), o)
		for _, want := range []struct {
			calls        int
			active, idle string
		}{{3, "3", "0"}, {1, "1", "2"}} {
			for range want.calls {
				go func() { _, _ = b.client.Do(request(t, "r", callBody)) }()
			}
			synctest.Wait()
			got := read("signet.pool.connections")
			if len(got) != 2 || !strings.HasSuffix(got[0], "active} "+want.active) || !strings.HasSuffix(got[1], "idle} "+want.idle) {
				t.Errorf("while %d calls run: %q", want.calls, got)
			}
			for range want.calls {
				release <- struct{}{}
			}
			synctest.Wait()
		}
		if got := read("signet.pool.connections"); len(got) != 2 || !strings.HasSuffix(got[0], "active} 0") || !strings.HasSuffix(got[1], "idle} 3") {
			t.Errorf("when all have ended: %q", got)
		}
	})
}

func TestMetricsTellWhoseCredentialsExpireNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a", "b")
		o, read := measured(t)
		b := newBench(t, n, settings(c.routes), o)
		if got := read("signet.credentials."); len(got) != 0 {
			t.Errorf("before any were fetched: %q", got)
		}
		ends := time.Now().Add(time.Hour)
		b.post(t, "a", toolCall("1", "echo", `"text":"x"`))
		<-time.After(90 * time.Second)
		want := []string{
			"signet.credentials.age{signet.route=a} 90",
			fmt.Sprintf("signet.credentials.expiry.timestamp{signet.route=a} %v", float64(ends.UnixMilli())/1e3),
			"signet.credentials.refreshes{signet.result=ok signet.route=a} 1",
		}
		if got := read("signet.credentials."); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestMetricsTellRetriesAndRefreshesByWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
		o, read := measured(t)
		r := config.DefaultRoute()
		r.Upstream, r.Service, r.Region, r.Profile = "http://up.test/mcp", "svc", "eu-west-1", "nobody"
		c.routes["none"] = r
		b := newBench(t, n, settings(c.routes), o)
		b.post(t, "none", callBody)
		b.post(t, "a", toolCall("1", "echo", `"text":"x"`))
		c.Revoke(held(t, b, "a").Credentials.AccessKeyID)
		b.post(t, "a", toolCall("2", "echo", `"text":"x"`))
		if got := read("signet.retries"); len(got) != 1 || got[0] != "signet.retries{signet.reason=invalid_token signet.route=a} 1" {
			t.Errorf("retries %q", got)
		}
		got := read("signet.credentials.refreshes")
		want := []string{
			"signet.credentials.refreshes{error.type=no_profile signet.result=failed signet.route=none} 1",
			"signet.credentials.refreshes{signet.result=ok signet.route=a} 2",
		}
		if !slices.Equal(got, want) {
			t.Errorf("refreshes %q, want %q", got, want)
		}
	})
}

func TestMetricsTimeASessionFromItsFirstAnswerToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		o, read := measured(t)
		b := newBench(t, n, settings(map[string]config.Route{"r": plain(upstream(t, n, "up.test", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Mcp-Session-Id", "s1")
			if r.Method == http.MethodDelete {
				w.WriteHeader(http.StatusOK)
				return
			}
			answering(`{"jsonrpc":"2.0","id":1,"result":{}}`)(w, r)
		}))}), o)
		b.post(t, "r", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}`)
		<-time.After(time.Minute)
		r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodDelete, "http://127.0.0.1:8484/r", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Mcp-Session-Id", "s1")
		b.do(t, r)
		synctest.Wait()
		for _, name := range []string{"mcp.server.session.duration", "mcp.client.session.duration"} {
			if got := read(name); len(got) != 1 || !strings.HasSuffix(got[0], "} 1 60") || !strings.Contains(got[0], "mcp.protocol.version=2025-06-18") {
				t.Errorf("%q", got)
			}
		}
	})
}

func TestMetricsTellHowLongCallsWaitedForAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		o, read := measured(t)
		up := &busy{takes: 1500 * time.Millisecond}
		r := plain(upstream(t, n, "up.test", up.ServeHTTP))
		r.Limits.Calls = 1
		b := newBench(t, n, settings(map[string]config.Route{"r": r}), o)
		if got := read("signet.queue.wait"); len(got) != 0 {
			t.Errorf("before anybody waited: %q", got)
		}
		answers := b.crowd(t, "", "r", 3)
		for range 3 {
			<-answers
		}
		// One at once, one after 1.5 s, and one in vain for 2 s.
		if got := read("signet.queue.wait"); len(got) != 1 || got[0] != "signet.queue.wait{signet.kind=call signet.route=r} 2 3.5" {
			t.Errorf("%q", got)
		}
	})
}
