package gateway

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/bulkhead"
	"signet/gateway/envelope"
	"signet/gateway/telemetry"
)

// is checks a route's level, and that its summary has the words.
func (b *bench) is(t *testing.T, level, words string) {
	t.Helper()
	s := b.gateway.Status()
	h := s.Routes[0].Health
	if h.Level != level || !strings.Contains(h.Summary, words) {
		t.Errorf("%s: %s; want %s: %s", h.Level, h.Summary, level, words)
	}
	if s.Health.Level != level {
		t.Errorf("the whole is %s: %s", s.Health.Level, s.Health.Summary)
	}
}

// A moody upstream answers as it is told.
type moody struct {
	mood atomic.Pointer[http.HandlerFunc]
}

func (m *moody) is(h http.HandlerFunc) { m.mood.Store(&h) }

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*m.mood.Load())(w, r) }

// newMoody is a bench with one route r, whose upstream answers well at first.
func newMoody(t *testing.T, change func(*config.Route)) (*bench, *moody, *config.Config) {
	n, m := newNetwork(), &moody{}
	m.is(answering(callAnswer))
	r := plain(upstream(t, n, "up.test", m.ServeHTTP))
	r.Breaker.Failures = 0
	if change != nil {
		change(&r)
	}
	cfg := settings(map[string]config.Route{"r": r})
	return newBench(t, n, cfg, Options{}), m, cfg
}

func (b *bench) calls(t *testing.T, n int) {
	t.Helper()
	for range n {
		b.post(t, "r", callBody)
	}
}

func TestHealthFollowsWhatCallsMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, up, _ := newMoody(t, nil)
		b.is(t, Healthy, "no call yet")
		b.calls(t, 1)
		b.is(t, Healthy, "was answered 0 s ago")
		up.is(status(502, "text/plain", ""))
		b.calls(t, 2)
		b.is(t, Degraded, "the last 2 calls failed: the upstream answered 502")
		b.calls(t, 1)
		b.is(t, Unhealthy, "the last 3 calls failed")
		up.is(answering(callAnswer))
		b.calls(t, 1)
		b.is(t, Degraded, "3 of the last 5 calls failed")
		b.calls(t, remembered-2)
		b.is(t, Healthy, "was answered")
	})
}

func TestAnOldFailureOfAnIdleRouteIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, up, _ := newMoody(t, func(r *config.Route) { r.Breaker.Failures = 5 })
		up.is(status(502, "text/plain", ""))
		b.calls(t, 9)
		b.is(t, Unhealthy, "and is tried again in")
		<-time.After(current)
		b.is(t, Unhealthy, "the next call tries it again")
		<-time.After(time.Second)
		b.is(t, Healthy, "the last call, 5 min ago, failed: the upstream answered 502")
		b.calls(t, 1)
		b.is(t, Unhealthy, "failed")
	})
}

func TestHealthDoesNotFlapWhileAnUpstreamDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, up, _ := newMoody(t, nil)
		levels := map[string]int{}
		for i := range 200 {
			up.is(answering(callAnswer))
			if i%2 == 0 {
				up.is(status(502, "text/plain", ""))
			}
			b.calls(t, 1)
			if i > remembered {
				levels[b.gateway.Status().Health.Level]++
			}
		}
		if len(levels) != 1 || levels[Unhealthy] == 0 {
			t.Errorf("every second call fails: %v", levels)
		}
	})
}

func TestAReloadForgetsWhatIsTrueNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, up, cfg := newMoody(t, nil)
		up.is(status(404, "text/plain", ""))
		b.calls(t, 3)
		b.is(t, Unhealthy, "404")
		next := edited(cfg, "r", func(r *config.Route) { r.Limits.Calls = 7 })
		if _, err := b.gateway.Reload(t.Context(), next, nil); err != nil {
			t.Fatal(err)
		}
		b.is(t, Unhealthy, "404")
		next = edited(next, "r", func(r *config.Route) { r.Upstream += "/v2" })
		if _, err := b.gateway.Reload(t.Context(), next, nil); err != nil {
			t.Fatal(err)
		}
		b.is(t, Healthy, "no call yet")
	})
}

func TestAnOpenStreamTellsThatItsUpstreamAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, up, _ := newMoody(t, nil)
		up.is(status(502, "text/plain", ""))
		b.calls(t, 1)
		b.is(t, Degraded, "502")
		up.is(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		response, err := b.client.Do(standingGet(t, "r"))
		if err != nil {
			t.Fatal(err)
		}
		b.is(t, Healthy, "was answered 0 s ago")
		<-time.After(time.Hour)
		_ = response.Body.Close()
		synctest.Wait()
		b.is(t, Healthy, "was answered 1 h 0 min ago") // not by its end
	})
}

func TestClientsThatGiveUpTellOfASlowUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, up, _ := newMoody(t, nil)
		up.is(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
		for i := range 3 {
			if i == 2 {
				b.is(t, Healthy, "the client left before an answer began")
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if _, err := b.client.Do(request(t, "r", callBody).WithContext(ctx)); err == nil {
				t.Error("answered")
			}
			cancel()
			synctest.Wait()
		}
		b.is(t, Degraded, "the last 3 calls had no answer yet when the client left")
		up.is(answering(callAnswer))
		b.calls(t, 1)
		b.is(t, Healthy, "was answered")
	})
}

func TestHealthOfTheWholeIsThatOfTheWorstRoute(t *testing.T) {
	health := func(name, level, admin string) RouteStatus {
		return RouteStatus{Name: name, Health: Health{Level: level, Admin: admin, Action: &Action{Text: name}}}
	}
	good, bad, off := health("a", Healthy, Enabled), health("b", Unhealthy, Enabled), health("c", Unhealthy, Disabled)
	applied, refused := ReloadStatus{OK: true}, ReloadStatus{}
	for _, test := range []struct {
		s           Status
		level, says string
	}{
		{Status{Routes: []RouteStatus{good}, LastReload: applied}, Healthy, "all routes are healthy"},
		{Status{Routes: []RouteStatus{good, bad, off}, LastReload: applied}, Unhealthy, "routes: 1 of 2 unhealthy (b)"},
		{Status{Routes: []RouteStatus{good, off}, LastReload: applied}, Healthy, "all routes are healthy"},
		{Status{Routes: []RouteStatus{good}, LastReload: refused}, Degraded, "the config file was refused; all routes are healthy"},
		{Status{Routes: []RouteStatus{bad}, LastReload: refused}, Unhealthy, "the config file was refused; routes: 1 of 1 unhealthy (b)"},
	} {
		if h := test.s.judge(); h.Level != test.level || h.Summary != test.says {
			t.Errorf("%s: %s; want %s: %s", h.Level, h.Summary, test.level, test.says)
		}
	}
}

func TestEachOutcomeIsNotedInItsRespectAlone(t *testing.T) {
	g, _ := two(t)
	for name, test := range map[string]struct {
		ending   telemetry.Ending
		admitted bool
		want     string // the bad ones, then those that went well
	}{
		"answered":                {telemetry.Ending{Status: 200}, true, "; failed refused throttled shed deserted"},
		"a tool's error":          {telemetry.Ending{Status: 200, Code: -32602}, true, "; failed refused throttled shed deserted"},
		"unreachable":             {telemetry.Ending{Code: envelope.CodeUnreachable, Reason: "dns"}, true, "failed;"},
		"by an open circuit":      {telemetry.Ending{Code: envelope.CodeUnreachable, Reason: "circuit_open"}, false, ";"},
		"timeout":                 {telemetry.Ending{Code: envelope.CodeTimeout, Reason: "idle", Status: 200}, true, "failed;"},
		"broken stream":           {telemetry.Ending{Code: envelope.CodeStreamBroken, Reason: "stream_broken", Status: 200}, true, "failed;"},
		"no credentials":          {telemetry.Ending{Code: envelope.CodeCredentials, Reason: "mfa"}, true, "refused;"},
		"expired":                 {telemetry.Ending{Code: envelope.CodeRejected, Reason: "expired", Status: 403}, true, "refused;"},
		"denied":                  {telemetry.Ending{Code: envelope.CodeRejected, Reason: "access_denied", Status: 403}, true, "failed;"},
		"throttled":               {telemetry.Ending{Code: envelope.CodeThrottled, Reason: "upstream_throttled", Status: 429}, true, "throttled; failed"},
		"shed":                    {telemetry.Ending{Code: envelope.CodeOverloaded, Reason: "queue_full"}, false, "shed;"},
		"draining":                {telemetry.Ending{Code: envelope.CodeDraining, Reason: "draining"}, true, ";"},
		"too large":               {telemetry.Ending{Code: envelope.CodeTooLarge, Reason: "too_large", Status: 200}, true, ";"},
		"left before an answer":   {telemetry.Ending{Outcome: "client_cancelled"}, true, "deserted;"},
		"left within an answer":   {telemetry.Ending{Outcome: "client_cancelled", Status: 200}, true, ";"},
		"left while it waited":    {telemetry.Ending{Outcome: "client_cancelled"}, false, ";"},
		"turned away, unanswered": {telemetry.Ending{}, false, ";"},
	} {
		h := new(history)
		c := &call{route: &route{name: "a", history: h}, r: httptest.NewRequest("POST", "/a", nil), ending: test.ending}
		_, c.record = g.recorder.Call(t.Context(), nil, telemetry.Message{})
		if test.admitted {
			c.place = new(bulkhead.Place)
		}
		c.note()
		var bad, good []string
		for _, l := range []struct {
			name string
			*lately
		}{{"failed", &h.failed}, {"refused", &h.refused}, {"throttled", &h.throttled}, {"shed", &h.shed}, {"deserted", &h.deserted}} {
			switch r := l.recent(); {
			case r.Bad == 1:
				bad = append(bad, l.name)
			case r.Calls == 1:
				good = append(good, l.name)
			}
		}
		if got := strings.TrimSpace(strings.Join(bad, " ") + "; " + strings.Join(good, " ")); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestAStreamThatEndsTellsNothingOfItsUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, up, _ := newMoody(t, nil)
		end := make(chan struct{})
		up.is(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush()
			<-end
		})
		response, err := b.client.Do(standingGet(t, "r"))
		if err != nil {
			t.Fatal(err)
		}
		up.is(status(502, "text/plain", ""))
		b.calls(t, 3)
		close(end)
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		synctest.Wait()
		b.is(t, Unhealthy, "the last 3 calls failed")
	})
}

func TestABodyThatThereIsNoMemoryForFindsNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, cfg := newMoody(t, nil)
		next := *cfg
		next.Memory = 10
		if _, err := b.gateway.Reload(t.Context(), &next, nil); err != nil {
			t.Fatal(err)
		}
		b.calls(t, 1)
		b.is(t, Degraded, "the last call found no room")
		if a := b.gateway.Status().Routes[0].Health.Action; a == nil || a.Text != "raise memory" {
			t.Errorf("%+v", a)
		}
	})
}
