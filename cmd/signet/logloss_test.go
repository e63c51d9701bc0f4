package main

import (
	"errors"
	"strings"
	"testing"

	"signet/config"
)

// A disk is a log's file, which may be full.
type disk struct {
	logText
	full bool
}

func (d *disk) Write(p []byte) (int, error) {
	if d.full {
		return 0, errors.New("no space left on device")
	}
	return d.logText.Write(p)
}

// Row P02.
func TestFault_P02_LinesThatWereLostAreToldOnceLinesCanBeWritten(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		out := new(disk)
		log, err := newLogging(out, config.Log{Level: "info", Format: format})
		if err != nil {
			t.Fatal(err)
		}
		route := log.With("route", "r")
		route.Info("before")
		out.full = true
		for range 5 {
			route.Info("lost")
			log.Warn("lost too")
		}
		out.full = false
		route.Info("after")
		log.Info("later")
		text := out.String()
		if strings.Count(text, "log lines were lost") != 1 || strings.Count(text, "\n") != 4 || !strings.Contains(text, "10") || log.lost() != 10 {
			t.Errorf("%s: %d lost; %s", format, log.lost(), text)
		}
	}
}
