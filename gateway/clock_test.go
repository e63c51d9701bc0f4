package gateway

import (
	"net/http"
	"testing"
	"time"
)

func TestAClockIsMeasuredByTheDateOfAFreshAnswer(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		date, age string
		took      time.Duration
		want      time.Duration
		ok        bool
	}{
		"theirs is ahead":  {noon.Add(time.Hour).Format(http.TimeFormat), "", 0, time.Hour, true},
		"theirs is behind": {noon.Add(-25 * time.Hour).Format(http.TimeFormat), "", 0, -25 * time.Hour, true},
		"slow":             {noon.Format(http.TimeFormat), "", 15 * time.Minute, 0, true},
		"too slow":         {noon.Format(http.TimeFormat), "", 15*time.Minute + 1, 0, false},
		"out of a cache":   {noon.Add(time.Hour).Format(http.TimeFormat), "0", 0, 0, false},
		"no date":          {"", "", 0, 0, false},
		"no date at all":   {"yesterday", "", 0, 0, false},
	} {
		response := &http.Response{Header: http.Header{}}
		response.Header.Set("Date", test.date)
		if test.age != "" {
			response.Header.Set("Age", test.age)
		}
		if got, ok := measure(response, noon.Add(-test.took), noon); got != test.want || ok != test.ok {
			t.Errorf("%s: %s, %v; want %s, %v", name, got, ok, test.want, test.ok)
		}
	}
}

func TestAClockForgetsOnlyWhatWasLearnedLast(t *testing.T) {
	var k clock
	k.learn(time.Hour)
	k.learn(2 * time.Hour) // by another call meanwhile
	k.forget(time.Hour, 0)
	if k.skew() != 2*time.Hour {
		t.Errorf("what another call learned is gone: %s", k.skew())
	}
	k.forget(2*time.Hour, time.Minute)
	if k.skew() != time.Minute {
		t.Errorf("%s, want what was known before", k.skew())
	}
}
