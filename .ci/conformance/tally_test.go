package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// write writes a checks.json into a directory named as the suite names them.
func write(t *testing.T, dir, name, checks string) {
	t.Helper()
	dir = filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "checks.json"), []byte(checks), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTallyCountsEachOutcomeOfEachScenario(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "server-json-schema-2020-12-2026-11-26T14-39-08-482Z", `[{"id":"a","status":"SUCCESS"},{"id":"a","status":"SUCCESS"},{"id":"a","status":"FAILURE","errorMessage":"why"}]`)
	write(t, dir, "server-server-sse-polling-2026-11-26T14-39-08-497Z", `[{"id":"a","status":"INFO","details":{"id":"b"}}]`)
	write(t, dir, "tools_call-2026-11-26T14-39-09-001Z", `[]`)
	got, said, err := readTally(dir)
	want := tally{{"json-schema-2020-12", "a", "SUCCESS"}: 2, {"json-schema-2020-12", "a", "FAILURE"}: 1, {"server-sse-polling", "a", "INFO"}: 1}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if why := said[check{"json-schema-2020-12", "a", "FAILURE"}]; why != "why" {
		t.Errorf("the suite said %q of what failed", why)
	}
	all, failed := got.scenarios()
	if fmt.Sprint(all, failed, got.count("SUCCESS")) != "[json-schema-2020-12 server-sse-polling] [json-schema-2020-12] 2" {
		t.Errorf("got %v, of which failed %v, and %d successes", all, failed, got.count("SUCCESS"))
	}
}

func TestTallyOfWhatIsNoResultIsAnError(t *testing.T) {
	for name, checks := range map[string]string{
		"server-ping":                          `[]`,
		"server-ping-2026-11-26T14-39-08-482Z": `[{`,
	} {
		dir := t.TempDir()
		write(t, dir, name, checks)
		if got, _, err := readTally(dir); err == nil {
			t.Errorf("%s holding %s: got %v", name, checks, got)
		}
	}
}

func TestDifferencesAreWhatOneRunHasMoreOften(t *testing.T) {
	direct := tally{{"ping", "ping", "SUCCESS"}: 1, {"tools", "list", "SUCCESS"}: 2, {"tools", "call", "SUCCESS"}: 1}
	for name, test := range map[string]struct {
		gateway tally
		want    string
	}{
		"equal":   {tally{{"tools", "call", "SUCCESS"}: 1, {"tools", "list", "SUCCESS"}: 2, {"ping", "ping", "SUCCESS"}: 1}, "[]"},
		"missing": {tally{{"tools", "list", "SUCCESS"}: 2, {"tools", "call", "SUCCESS"}: 1}, "[ping ping SUCCESS: 1 direct, 0 through the gateway]"},
		"once":    {tally{{"ping", "ping", "SUCCESS"}: 1, {"tools", "list", "SUCCESS"}: 1, {"tools", "call", "SUCCESS"}: 1}, "[tools list SUCCESS: 2 direct, 1 through the gateway]"},
		"status": {tally{{"ping", "ping", "FAILURE"}: 1, {"tools", "list", "SUCCESS"}: 2, {"tools", "call", "SUCCESS"}: 1},
			"[ping ping FAILURE: 0 direct, 1 through the gateway ping ping SUCCESS: 1 direct, 0 through the gateway]"},
	} {
		if got := fmt.Sprint(differences(direct, test.gateway)); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}
