package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/sandbox"
)

// page is what the gateway answers to a GET.
func (b *bench) page(t *testing.T, path string) (int, string) {
	t.Helper()
	response, body := b.do(t, must(http.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1:8484"+path, nil)))
	return response.StatusCode, body
}

func TestStatusTellsWhatServesAndAsWhom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
		hang := make(chan struct{})
		c.routes["open"] = plain(upstream(t, n, "open.test", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-hang
			answering(callAnswer)(w, r)
		}))
		cfg := settings(c.routes)
		cfg.Path, cfg.Hash = "/etc/signet.yaml", "abc"
		b := newBench(t, n, cfg, Options{Version: "v1"})
		c.routes["a"] = cfg.Routes["a"]
		if _, body := b.post(t, "a", toolCall("x", "echo", `"text":"x"`)); !isResult(body) {
			t.Fatal(body)
		}
		answered := make(chan string)
		go func() { _, body := b.post(t, "open", callBody); answered <- body }()
		synctest.Wait()
		<-time.After(90 * time.Second)
		code, body := b.page(t, "/-/status")
		var s Status
		if err := json.Unmarshal([]byte(body), &s); err != nil || code != 200 {
			t.Fatalf("%d %v %s", code, err, body)
		}
		if s.Schema != 1 || s.Version != "v1" || s.Uptime != 90 || s.Snapshot != (SnapshotStatus{Number: 1, Age: 90, Path: "/etc/signet.yaml", Hash: "abc"}) || !s.LastReload.OK {
			t.Errorf("%s", body)
		}
		if len(s.Routes) != 2 || s.Routes[0].Name != "a" || s.Routes[1].Name != "open" {
			t.Fatalf("%s", body)
		}
		a, open := s.Routes[0], s.Routes[1]
		if a.Service != "svc-a" || a.Region != "eu-west-1" || a.Profile != "a" || a.Auth != "sigv4" || a.Upstream != "http://a.test/mcp" || a.InFlight != 0 {
			t.Errorf("%+v", a)
		}
		if a.Credentials == nil || a.Credentials.Source != `profile "a"` || !strings.HasPrefix(a.Credentials.KeyID, "ASIA…") || a.Credentials.Generation != 1 ||
			time.Until(a.Credentials.Expires) > time.Hour || a.Credentials.LastRefresh == nil {
			t.Errorf("%+v", a.Credentials)
		}
		if open.InFlight != 1 || open.Credentials != nil || open.Auth != "none" {
			t.Errorf("%+v", open)
		}
		g, _ := b.gateway.current.Load().routes["a"].identity.cache.Get(t.Context(), time.Now())
		for _, secret := range []string{g.Credentials.AccessKeyID, g.Credentials.SecretAccessKey, g.Credentials.SessionToken} {
			if strings.Contains(body, secret) {
				t.Errorf("%.4s... stands in the status", secret)
			}
		}
		close(hang)
		<-answered
	})
}

func TestStatusShowsTheProblemsOfARefusedFile(t *testing.T) {
	g, _ := two(t)
	applied := g.Status().LastReload.At
	g.Refused(&config.Invalid{Problems: []config.Problem{{File: "signet.yaml", Line: 4, Column: 5, Key: "routes.a", What: "unknown key"}}})
	s := g.Status().LastReload
	if s.OK || len(s.Problems) != 1 || s.Problems[0] != "signet.yaml:4:5: routes.a: unknown key" || !s.LastSuccess.Equal(applied) {
		t.Errorf("%+v", s)
	}
	g.Refused(errors.New("address in use"))
	if s := g.Status().LastReload; s.Problems[0] != "address in use" || !s.LastSuccess.Equal(applied) {
		t.Errorf("%+v", s)
	}
}

func TestOperatorPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") })
		b := newBench(t, n, settings(map[string]config.Route{"r": plain("http://up.test/")}), Options{Metrics: metrics})
		for path, want := range map[string]string{"/-/healthy": "healthy\n", "/-/ready": "ready\n", "/-/metrics": "metrics"} {
			if code, body := b.page(t, path); code != 200 || body != want {
				t.Errorf("%s: %d %s", path, code, body)
			}
		}
		bare := newBench(t, newNetwork(), settings(map[string]config.Route{"r": plain("http://up.test/")}), Options{})
		if code, _ := bare.page(t, "/-/metrics"); code != 404 {
			t.Errorf("without metrics: %d", code)
		}
	})
}

func TestOperatorSocketReloads(t *testing.T) {
	g, _ := two(t)
	var err error
	handler := g.Operator(Operations{Reload: func(context.Context) (Changes, error) {
		return Changes{Snapshot: 7, Added: []string{"x"}}, err
	}})
	ask := func(method, path string) (int, string) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w.Code, w.Body.String()
	}
	if code, body := ask("POST", "/-/reload"); code != 200 || !strings.Contains(body, `"snapshot":7,"added":["x"]`) {
		t.Errorf("%d %s", code, body)
	}
	err = &config.Invalid{Problems: []config.Problem{
		{File: "f", Line: 1, Column: 2, What: "bad"}, {File: "f", Line: 2, Column: 2, What: "odd", Warning: true},
	}}
	if code, body := ask("POST", "/-/reload"); code != 422 || body != `{"problems":["f:1:2: bad"]}`+"\n" {
		t.Errorf("%d %s", code, body)
	}
	if code, body := ask("GET", "/-/status"); code != 200 || !strings.Contains(body, `"schema": 1`) {
		t.Errorf("%d %s", code, body)
	}
	for _, request := range [][2]string{{"GET", "/-/reload"}, {"POST", "/-/status"}, {"GET", "/a"}} {
		if code, _ := ask(request[0], request[1]); code < 400 {
			t.Errorf("%v: %d", request, code)
		}
	}
}

func TestOperatorSocketAnswersWhatAReloadWouldDo(t *testing.T) {
	g, _ := two(t)
	var asked string
	handler := g.Operator(Operations{Diff: func(_ context.Context, path string) (Changes, error) {
		if asked = path; path == "/bad.yaml" {
			return Changes{}, errors.New("no such file")
		}
		return Changes{Parts: map[string][]string{"a": {"limits"}}}, nil
	}})
	for _, test := range []struct {
		body, want string
		status     int
	}{
		{`{"file": "/etc/next.yaml"}`, `"parts":{"a":["limits"]}`, 200},
		{`{"file": "/bad.yaml"}`, `{"problems":["no such file"]}`, 422},
		{`{"file": "next.yaml"}`, "absolute path", 400},
		{``, "absolute path", 400},
		{`{"file": "/` + strings.Repeat("x", maxAsk) + `"}`, "absolute path", 400},
	} {
		asked = ""
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("POST", "/-/diff", strings.NewReader(test.body)))
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) || (asked != "") == (test.status == 400) {
			t.Errorf("%.40s: %d %s, asked for %q", test.body, w.Code, w.Body, asked)
		}
	}
}

func TestFlightLetsNobodyInOnceItHasEnded(t *testing.T) {
	var f flight
	f.init()
	for range 2 {
		if !f.enter() {
			t.Fatal("nobody gets in")
		}
	}
	ended := make(chan int)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- f.end(ctx, errRetired) }()
	for f.enter() { // until end has begun
		f.leave()
	}
	f.leave()
	cancel()
	<-f.ctx.Done()
	if context.Cause(f.ctx) != errRetired {
		t.Errorf("cause %v", context.Cause(f.ctx))
	}
	f.leave()
	if n := <-ended; n != 1 {
		t.Errorf("%d were ended, want the one that had not left", n)
	}
}

func TestPartIsClosedByItsLastUserAlone(t *testing.T) {
	closed := 0
	p := part{close: func() { closed++ }}
	p.hold()
	p.hold()
	p.drop()
	if closed != 0 {
		t.Error("closed while in use")
	}
	p.drop()
	if closed != 1 {
		t.Errorf("closed %d times", closed)
	}
}
