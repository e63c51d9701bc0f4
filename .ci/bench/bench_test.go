package main

import (
	"bufio"
	"strings"
	"testing"
	"time"
)

func TestARatioIsTakenWithinEachRound(t *testing.T) {
	s := newSeries(settings{}, nil)
	// A machine that slows down by the half hour makes both slower: the rounds' own ratios are 2, 2 and 3.
	for i, us := range []int{10, 100, 1000} {
		s.scores["plain"] = append(s.scores["plain"], score{cost: time.Duration(us) * time.Microsecond})
		s.scores["ours"] = append(s.scores["ours"], score{cost: time.Duration(us*[]int{2, 2, 3}[i]) * time.Microsecond})
	}
	if r, ok := s.ratio("ours", "plain", cost); !ok || r != 2 {
		t.Errorf("%v, %v", r, ok)
	}
	if _, ok := s.ratio("ours", "nginx", cost); ok {
		t.Error("a ratio to what did not take part")
	}
}

func TestMedianIsTheMiddle(t *testing.T) {
	for want, figures := range map[float64][]float64{2: {9, 1, 2}, 3: {1, 2, 4, 9}} {
		if got := median(figures); got != want {
			t.Errorf("median of %v is %v", figures, got)
		}
	}
}

func TestAGoalIsMissedBeyondTheNoiseAlone(t *testing.T) {
	for _, c := range []struct {
		goal goal
		want string
	}{
		{goal{bar: 0.5, measured: 0.5}, "met"},
		{goal{bar: 0.5, measured: 0.57}, "missed, within the noise"},
		{goal{bar: 0.5, measured: 0.58}, "missed"},
		{goal{bar: 0.95, measured: 0.95, least: true}, "met"},
		{goal{bar: 0.95, measured: 0.94, least: true}, "missed"},
		{goal{bar: 2.8, missing: "not measured: no nginx"}, "not measured: no nginx"},
	} {
		if got := c.goal.verdict(); got != c.want {
			t.Errorf("%+v: %s, want %s", c.goal, got, c.want)
		}
	}
}

func TestACallNamesItsAnswer(t *testing.T) {
	for _, s := range []shape{small(), longRequest(), longAnswer()} {
		body := s.body()
		if string(idIn(body)) != "100000000" || lengthIn(body) != s.answer {
			t.Errorf("%s: id %s, answer of %d", s.name, idIn(body), lengthIn(body))
		}
	}
	if idIn([]byte(`{"id":1}`)) != nil || lengthIn([]byte("{}")) != -1 {
		t.Error("an id or a length where there is none")
	}
}

func TestAHeadIsReadAnewEachTime(t *testing.T) {
	from := bufio.NewReader(strings.NewReader("POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 2\r\n\r\nxyGET /b HTTP/1.1\r\nAccept: z\r\n\r\n"))
	var h head
	if err := readHead(from, &h); err != nil || h.length != 2 || string(h.get("HOST")) != "a" {
		t.Fatalf("%+v, %v", h, err)
	}
	if body, err := h.readBody(from, nil); err != nil || string(body) != "xy" {
		t.Fatalf("%q, %v", body, err)
	}
	if err := readHead(from, &h); err != nil || string(h.first) != "GET /b HTTP/1.1" || h.length != 0 || h.get("Host") != nil {
		t.Errorf("%s %+v, %v", h.first, h, err)
	}
	for _, bad := range []string{"GET / HTTP/1.1\r\nno field\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "GET"} {
		if readHead(bufio.NewReader(strings.NewReader(bad)), &h) == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
