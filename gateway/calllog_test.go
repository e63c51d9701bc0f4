package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"signet/config"
	"signet/gateway/sandbox"
)

// lined are the lines of calls that a log has, each as the level, the words, and the given keys.
func lined(t *testing.T, log []byte, keys ...string) (all []string) {
	t.Helper()
	for line := range bytes.Lines(log) {
		var said map[string]any
		if err := json.Unmarshal(line, &said); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		text := fmt.Sprint(said["level"], " ", said["msg"])
		if !strings.Contains(text, "call") {
			continue
		}
		for _, key := range keys {
			if v, ok := said[key]; ok {
				text += fmt.Sprintf(" %s=%v", key, v)
			}
		}
		all = append(all, text)
	}
	return all
}

// logged is a bench with one route whose log takes a level, and the log.
func logged(t *testing.T, h http.HandlerFunc, level slog.Level, calls config.CallLog) (*bench, *config.Config, *guarded) {
	t.Helper()
	n := newNetwork()
	o, _ := traced()
	log := new(guarded)
	o.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: level}))
	cfg := settings(map[string]config.Route{"r": plain(upstream(t, n, "up.test", h)), "gone": plain("http://nowhere.test/mcp")})
	cfg.Log.Calls = calls
	return newBench(t, n, cfg, o), cfg, log
}

func TestEachCallHasOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, log := logged(t, answering(callAnswer), slog.LevelInfo, config.CallLog{Level: "info", Sample: 1})
		b.post(t, "r", callBody)
		_, body := b.post(t, "gone", callBody)
		synctest.Wait()
		keys := []string{"signet.route", "mcp.method.name", "gen_ai.tool.name", "error.type", "signet.outcome", "http.response.status_code"}
		want := []string{
			"INFO call signet.route=r mcp.method.name=tools/call gen_ai.tool.name=slow signet.outcome=answered http.response.status_code=200",
			"WARN call failed signet.route=gone mcp.method.name=tools/call gen_ai.tool.name=slow error.type=dns signet.outcome=not_sent",
		}
		got := lined(t, log.bytes(), keys...)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		ids := lined(t, log.bytes(), "trace_id", "span_id", "cause")
		_, id, _ := strings.Cut(ids[1], "trace_id=")
		if id = id[:32]; !strings.Contains(body, id) || !strings.Contains(ids[1], "span_id=") || !strings.Contains(ids[1], "cause=route") {
			t.Errorf("the line says %s, the error %s", ids[1], body)
		}
	})
}

func TestLinesOfCallsFollowTheConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, cfg, log := logged(t, answering(callAnswer), slog.LevelInfo, config.Default().Log.Calls)
		lines := func(calls config.CallLog, route string, n int) int {
			next := *cfg
			next.Log.Calls = calls
			if _, err := b.gateway.Reload(t.Context(), &next, nil); err != nil {
				t.Fatal(err)
			}
			before := len(lined(t, log.bytes()))
			for range n {
				b.post(t, route, callBody)
			}
			synctest.Wait()
			return len(lined(t, log.bytes())) - before
		}
		if n := lines(cfg.Log.Calls, "r", 5); n != 0 {
			t.Errorf("%d lines of 5 calls by default", n)
		}
		if n := lines(config.CallLog{Level: "warn", Sample: 1}, "r", 5); n != 5 {
			t.Errorf("%d lines of 5 calls", n)
		}
		if n := lines(config.CallLog{Level: "info", Sample: 0}, "r", 5); n != 0 {
			t.Errorf("%d lines of 5 calls of which none is wanted", n)
		}
		if n := lines(config.CallLog{Level: "info", Sample: 0.5}, "r", 400); n < 120 || n > 280 { // eight deviations
			t.Errorf("%d lines of 400 calls of which half are wanted", n)
		}
		if n := lines(config.CallLog{Level: "info", Sample: 0}, "gone", 5); n != 5 {
			t.Errorf("%d lines of 5 calls that failed", n)
		}
	})
}

func TestALineTellsAsWhomACallLeftWithoutSpans(t *testing.T) {
	c := newCloud(t, sandbox.STSOptions{}, nil, "a")
	var log guarded
	cfg := settings(c.routes)
	cfg.Log.Calls = config.CallLog{Level: "info", Sample: 1}
	f := overTCPWith(t, cfg, Options{Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	response, err := f.Do(f.newRequest(t.Context(), "a", toolCall("1", "echo", `"text":"x"`)))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	_ = f.gateway.Shutdown(t.Context())
	got := lined(t, log.bytes(), "signet.credentials.source", "signet.credentials.account", "signet.credentials.generation")
	want := `INFO call signet.credentials.source=profile "a" signet.credentials.account=` + c.Identity("a").Account + ` signet.credentials.generation=1`
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
