package telemetry

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// opened is a call that begins a session, and its end.
func opened(t *testing.T, r *Recorder, id, version string) {
	t.Helper()
	ctx, call := r.Call(t.Context(), http.Header{}, Message{Route: "r", Method: "initialize", Version: version})
	_, attempt := call.Attempt(ctx, http.Header{}, "up.example", 443, 1)
	attempt.Session(id)
	attempt.End(Ending{Status: 200})
	call.End(Ending{Status: 200})
}

// spoken is another message of it.
func spoken(t *testing.T, r *Recorder, id, method string, e Ending) {
	t.Helper()
	_, call := r.Call(t.Context(), http.Header{}, Message{Route: "r", Method: method, Version: "2025-11-25", Session: id})
	call.End(e)
}

func TestSessionsAreTimedUntilTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, read := counts(t)
		opened(t, r, "left", "2025-11-25")
		opened(t, r, "lost", "2025-06-18")
		opened(t, r, "silent", "1999")
		opened(t, r, "none", "2026-07-28") // it has no sessions
		<-time.After(time.Minute)
		spoken(t, r, "silent", "ping", Ending{Status: 200})
		spoken(t, r, "left", http.MethodDelete, Ending{Status: 405}) // the upstream will not have it ended
		spoken(t, r, "unknown", http.MethodDelete, Ending{Status: 200})
		<-time.After(time.Minute)
		spoken(t, r, "left", http.MethodDelete, Ending{Status: 200})
		spoken(t, r, "lost", "ping", Ending{Status: 404})
		<-time.After(forgotten)
		r.endSilent()
		const rest = "network.protocol.name=http network.transport=tcp "
		want := []string{
			"1: 120 s, error.type=404 mcp.protocol.version=2025-06-18 " + rest + "signet.route=r",
			"1: 120 s, mcp.protocol.version=2025-11-25 " + rest + "signet.route=r",
			"1: 60 s, mcp.protocol.version=_OTHER " + rest + "signet.route=r",
		}
		if got := timed(read(), metricServerSession); !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for i := range want {
			want[i] = strings.Replace(want[i], "signet.", "server.address=up.example server.port=443 signet.", 1)
		}
		if got := timed(read(), metricClientSession); !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestNoMoreSessionsAreTimedThanThereIsRoomFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, read := counts(t)
		for i := range maxSessions + 100 {
			opened(t, r, fmt.Sprint(i), "2025-11-25")
		}
		if n := len(r.sessions.open); n != maxSessions {
			t.Errorf("%d sessions", n)
		}
		<-time.After(2 * forgotten)
		opened(t, r, "new", "2025-11-25")
		if n := len(r.sessions.open); n != 1 {
			t.Errorf("%d sessions after all were silent", n)
		}
		if got := timed(read(), metricServerSession); len(got) != 1 || !strings.HasPrefix(got[0], fmt.Sprint(maxSessions)) {
			t.Errorf("%v", got)
		}
	})
}

// timed are the series of a histogram, each as how many, how long in all, and what of.
func timed(read map[string]metricdata.Aggregation, name string) (all []string) {
	h, _ := read[name].(metricdata.Histogram[float64])
	for _, p := range h.DataPoints {
		var words []string
		for _, a := range shown(p.Attributes) {
			words = append(words, a[0]+"="+a[1])
		}
		all = append(all, fmt.Sprintf("%d: %v s, %s", p.Count, p.Sum, strings.Join(words, " ")))
	}
	slices.Sort(all)
	return all
}
