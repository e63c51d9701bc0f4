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

func TestNewLogFormatIsSaidToWait(t *testing.T) {
	var out bytes.Buffer
	log, err := newLogging(&out, config.Log{Level: "info", Format: "json"})
	if err != nil {
		t.Fatal(err)
	}
	commit, err := log.prepare(config.Log{Level: "info", Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	commit()
	if !strings.Contains(out.String(), "next start") {
		t.Errorf("log %q does not say when the format changes", out.String())
	}
}
