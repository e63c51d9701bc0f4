package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signet/gateway"
)

// answered is a status of an unquiet afternoon, as a gateway told it at noon.
func answered(t *testing.T) *status {
	t.Helper()
	said, err := os.ReadFile(filepath.Join("testdata", "status", "team.json"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := readStatus(said, time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// golden compares with a file that holds what a person reads; -update rewrites it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "status", name)
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestStatusForPeople(t *testing.T) {
	var text bytes.Buffer
	answered(t).print(&text)
	golden(t, "team.txt", text.Bytes())
	for _, name := range []string{"agents", "aws", "docs", "eks", "mine"} {
		t.Run(name, func(t *testing.T) {
			s := answered(t)
			if err := s.only(name); err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			s.printRoute(&text, s.Routes[0])
			golden(t, "team_"+name+".txt", text.Bytes())
		})
	}
}

func TestStatusOfAnotherSchemaIsNotGuessedAt(t *testing.T) {
	for said, want := range map[string]string{`{"schema": 2}`: "schema 2", `{}`: "schema 0", `nonsense`: "invalid"} {
		if _, err := readStatus([]byte(said), time.Time{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", said, err)
		}
	}
}

func TestStatusPrintsNothingThatSteersATerminal(t *testing.T) {
	hostile := "certificate of \x1b]0;owned\x07\x1b[2J\u202e\u009b\rlies\nand more\ttabs"
	s := answered(t)
	s.Routes = s.Routes[2:3]
	s.Routes[0].Health.Summary = hostile
	s.Routes[0].Health.Action.Command = hostile
	s.Routes[0].History.Failed.Last.Message = hostile
	s.LastReload.Problems = []string{hostile}
	s.Exports[0].LastError = hostile
	var text bytes.Buffer
	s.print(&text)
	s.printRoute(&text, s.Routes[0])
	if got := printable(text.Bytes()); bytes.ContainsAny(got, "\x1b\x07\r\t") || strings.ContainsAny(string(got), "\u202e\u009b") {
		t.Errorf("%q", got)
	}
}

func TestCheckFailsOnWhatWasAskedAbout(t *testing.T) {
	for route, want := range map[string]bool{"": true, "eks": true, "docs": false, "aws": false, "agents": false} {
		s := answered(t)
		if route != "" {
			if err := s.only(route); err != nil {
				t.Fatal(err)
			}
		}
		if s.unhealthy(route) != want {
			t.Errorf("%q: %v", route, !want)
		}
	}
	s := answered(t)
	if s.Health.Level = gateway.Degraded; s.unhealthy("") {
		t.Error("degraded is not unhealthy")
	}
}

func TestDurationsAreSaidInTwoUnitsAtMost(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 59 * time.Second: "59 s", time.Minute: "1 min", 59 * time.Minute: "59 min",
		time.Hour: "1 h 0 min", 25 * time.Hour: "1 d 1 h",
	} {
		if got := lasting(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}
