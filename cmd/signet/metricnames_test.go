package main

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The names are an interface: dashboards and alerts are made of them. What has not happened yet has no series, and
// does not stand here: signet_retries_total, signet_queue_wait_seconds, mcp_*_session_duration_seconds.
func TestMetricsHaveTheNamesTheyHad(t *testing.T) {
	e := newExporting(t, "")
	e.call(t)
	e.call(t)
	page, late := "", time.After(20*time.Second)
	for !strings.Contains(page, "signet_credentials_refreshes_total") { // counted once it has served who waited for it
		select {
		case <-late:
			t.Fatal("no fetch of credentials was counted")
		default:
			page = e.told(t)["/-/metrics"]
		}
	}
	var families []string
	for line := range strings.Lines(page) {
		family, ok := strings.CutPrefix(line, "# TYPE ")
		if ok && (strings.HasPrefix(family, "signet_") || strings.HasPrefix(family, "mcp_")) {
			families = append(families, family)
		}
	}
	slices.Sort(families)
	got, path := strings.Join(families, ""), filepath.Join("testdata", "metrics.txt")
	if flag.Lookup("update").Value.String() == "true" {
		write(t, path, got)
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("%v got\n%s\nwant\n%s", err, got, want)
	}
}
