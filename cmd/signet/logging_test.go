package main

import (
	"bytes"
	"strings"
	"testing"

	"signet/config"
)

func TestLogIsJSONWhereNobodyLooks(t *testing.T) {
	for format, want := range map[string]string{"auto": `"msg":"hello"`, "json": `"msg":"hello"`, "text": "INF hello"} {
		var out bytes.Buffer
		log, err := newLogging(&out, config.Log{Level: "info", Format: format})
		if err != nil {
			t.Fatal(err)
		}
		log.Info("hello")
		if !strings.Contains(out.String(), want) {
			t.Errorf("format %s: %q, want %s in it", format, out.String(), want)
		}
		if strings.Contains(out.String(), "\x1b") {
			t.Errorf("format %s: colour in %q", format, out.String())
		}
	}
}

func TestLogLevelFollowsTheConfig(t *testing.T) {
	var out bytes.Buffer
	log, err := newLogging(&out, config.Log{Level: "info", Format: "json"})
	if err != nil {
		t.Fatal(err)
	}
	commit, err := log.prepare(config.Log{Level: "debug", Format: "json"})
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("before")
	commit()
	log.Debug("after")
	if strings.Contains(out.String(), "before") || !strings.Contains(out.String(), "after") {
		t.Errorf("log %q: the level changed at another time than the commit", out.String())
	}
}

// The gateway has made loggers of its own by then, one for each route.
func TestLogFormatFollowsTheConfig(t *testing.T) {
	var out bytes.Buffer
	log, err := newLogging(&out, config.Log{Level: "info", Format: "json"})
	if err != nil {
		t.Fatal(err)
	}
	route := log.With("route", "docs").WithGroup("call")
	commit, err := log.prepare(config.Log{Level: "info", Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"msg":"hello","route":"docs","call":{"id":7}}`, "INF hello route=docs call.id=7"} {
		out.Reset()
		route.Info("hello", "id", 7)
		if !strings.Contains(out.String(), want) {
			t.Errorf("log %q, want %s in it", out.String(), want)
		}
		commit()
	}
}

func TestLoggersMadeOfOneDoNotShareTheirAttributes(t *testing.T) {
	var out bytes.Buffer
	log, err := newLogging(&out, config.Log{Level: "info", Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	base := log.With("a", 1).With("b", 2).With("c", 3)
	one, two := base.With("d", "one"), base.With("d", "two")
	one.Info("x")
	two.Info("y")
	if got := out.String(); !strings.Contains(got, "x a=1 b=2 c=3 d=one\n") || !strings.Contains(got, "y a=1 b=2 c=3 d=two\n") {
		t.Errorf("log %s", got)
	}
}
