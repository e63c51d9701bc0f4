package main

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"signet/config"
	"signet/gateway"
)

func TestMetricsShowTheConfigThatServesAndHowTheLastOneFared(t *testing.T) {
	tel := newTestTelemetry(t, nil)
	cfg := config.Default()
	r := config.DefaultRoute()
	r.Upstream, r.UpstreamAuth = "http://127.0.0.1:1/mcp", "none"
	cfg.Auth.Mode, cfg.Routes, cfg.Hash = "none", map[string]config.Route{"a": r}, "first"
	g, err := gateway.New(&cfg, gateway.Options{MeterProvider: tel.meterProvider(), Metrics: tel.metrics})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Shutdown(t.Context()) }()
	// shown is the value of a series, by its name and labels of ours.
	shown := func(series string) string {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8484/-/metrics", nil))
		for line := range strings.Lines(w.Body.String()) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			if name == series {
				return value
			}
		}
		return ""
	}
	next := cfg
	next.Hash = "second"
	if _, err := g.Reload(t.Context(), &next, nil); err != nil {
		t.Fatal(err)
	}
	good := float64(g.Status().LastReload.LastSuccess.UnixMilli()) / 1e3
	for _, successful := range []string{"1", "0"} {
		for series, want := range map[string]string{
			"signet_config_last_reload_successful":                successful,
			"signet_config_last_reload_success_timestamp_seconds": fmt.Sprint(good),
			`signet_config_info{hash="second"}`:                   "1",
			`signet_config_info{hash="first"}`:                    "",
			"signet_routes":                                       "1",
			"signet_routes_retiring":                              "0",
		} {
			if got := shown(series); got != want {
				t.Errorf("%s is %q, want %q", series, got, want)
			}
		}
		g.Refused(errors.New("a file that is no config"))
	}
}
