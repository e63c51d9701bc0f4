package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"signet/config"
)

// logText is a log that can be read while it is written.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer // under mu
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// startDaemon serves a file with a text until the test ends.
func startDaemon(t *testing.T, text string) (*daemon, *logText) {
	t.Helper()
	return startDaemonWith(t, text, nil)
}

// startDaemonWith does the same with OTEL_* variables.
func startDaemonWith(t *testing.T, text string, env []string) (*daemon, *logText) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signet.yaml")
	write(t, path, text)
	o := config.Options{Environ: []string{"HOME=" + t.TempDir()}}
	cfg, err := config.Load(path, o)
	if err != nil {
		t.Fatal(err)
	}
	out := new(logText)
	log, err := newLogging(out, config.Log{Level: "info", Format: "json"})
	if err != nil {
		t.Fatal(err)
	}
	d := newDaemon(path, o, log)
	if d.telemetry, err = newTelemetry(t.Context(), env, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	log.add(d.telemetry.logHandler(), cfg.Log)
	b, err := d.listeners.prepare(cfg.Listen, cfg.TLS)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.start(t.Context(), cfg, b); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.stop(context.Background()) })
	return d, out
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const oneRoute = `
auth: { mode: none }
routes:
  one: { upstream: "http://127.0.0.1:1/mcp", upstream_auth: none }
`

// Row K09: a new port that is busy.
func TestFault_K09_AddressInUseRefusesTheWholeFile(t *testing.T) {
	holder, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	d, log := startDaemon(t, `listen: ["127.0.0.1:0"]`+oneRoute)
	before := d.listeners.urls()
	write(t, d.path, `listen: ["[::1]:0", "`+holder.Addr().String()+`"]`+strings.ReplaceAll(oneRoute, "one:", "two:"))
	if _, err := d.reload(t.Context()); err == nil {
		t.Fatal("a file with an address in use was applied")
	}
	if got := d.listeners.urls(); len(got) != 1 || got[0] != before[0] {
		t.Errorf("listeners %v, want %v as before", got, before)
	}
	if !strings.Contains(log.String(), "address in use") || !strings.Contains(log.String(), "the old one serves on") {
		t.Errorf("log %s", log)
	}
	for _, route := range d.gateway.Status().Routes {
		if route.Name == "two" {
			t.Error("the file's route serves")
		}
	}
}

func TestReloadTellsWhatChangedOnce(t *testing.T) {
	d, log := startDaemon(t, `listen: ["127.0.0.1:0"]`+oneRoute)
	var told []reloaded
	d.told = func(r reloaded) { told = append(told, r) }
	write(t, d.path, `listen: ["127.0.0.1:0"]`+oneRoute+`  two: { upstream: "http://127.0.0.1:1/mcp", upstream_auth: none }`)
	changes, err := d.reload(t.Context())
	if err != nil || len(changes.Added) != 1 || changes.Added[0] != "two" {
		t.Fatalf("changes %+v, %v", changes, err)
	}
	write(t, d.path, "routes: 7")
	if _, err := d.reload(t.Context()); err == nil {
		t.Fatal("a bad file was applied")
	}
	if len(told) != 2 || told[0].err != nil || told[1].err == nil {
		t.Errorf("told %+v, want one applied and one refused", told)
	}
	if n := strings.Count(log.String(), `"config reloaded"`); n != 1 {
		t.Errorf("%d lines of reloads, want 1", n)
	}
}

func TestLogLevelOfANewFileIsUsed(t *testing.T) {
	d, log := startDaemon(t, `listen: ["127.0.0.1:0"]`+oneRoute)
	write(t, d.path, "log: { level: debug }\n"+`listen: ["127.0.0.1:0"]`+oneRoute)
	if _, err := d.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.log.Debug("a detail")
	if !strings.Contains(log.String(), "a detail") {
		t.Errorf("log %s", log)
	}
}

func TestReloadIsNotTakenWhileStopping(t *testing.T) {
	d, _ := startDaemon(t, `listen: ["127.0.0.1:0"]`+oneRoute)
	close(d.stopping)
	if _, err := d.ask(t.Context()); err != errStopping {
		t.Errorf("got %v, want errStopping at once", err)
	}
	d.stopping = make(chan struct{})
}

func TestOpenGatewayIsWarnedAbout(t *testing.T) {
	_, log := startDaemon(t, `listen: ["127.0.0.1:0"]`+oneRoute)
	if !strings.Contains(log.String(), "every program on this machine") {
		t.Errorf("log %s", log)
	}
}
