package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// all reads a stream to its end.
func all(r io.Reader, max int) (events []Event, err error) {
	e := NewEvents(r, max)
	for {
		next, err := e.Next()
		if err != nil {
			return events, err
		}
		next.Raw, next.Data = bytes.Clone(next.Raw), bytes.Clone(next.Data)
		events = append(events, next)
	}
}

// data is an event of these bytes with that data.
func data(raw, text string) Event { return Event{Raw: []byte(raw), Data: []byte(text)} }

// idle is what is returned of bytes that hold no event.
func idle(raw string) Event { return Event{Raw: []byte(raw)} }

// show prints events for a person.
func show(events []Event) string {
	var text strings.Builder
	for _, e := range events {
		fmt.Fprintf(&text, "\n  %q data %q (nil: %v) type %q id %q (%v)", e.Raw, e.Data, e.Data == nil, e.Type, e.ID, e.HasID)
	}
	return text.String()
}

func TestEventsAreTakenApart(t *testing.T) {
	const mark = "\ufeff"
	named := data("event: x\nid: 7\nretry: 5\ndata\n\n", "")
	named.Type, named.ID, named.HasID = "x", "7", true
	unnamed := data("id\ndata:\n\n", "")
	unnamed.HasID = true
	message := data("event:message\nevent: message\ndata: a\n\n", "a")
	message.Type = "message"
	for name, want := range map[string][]Event{
		"one":                 {message},
		"two":                 {data("data: a\n\n", "a"), data("data: b\n\n", "b")},
		"fields":              {named, unnamed},
		"CRLF":                {data("data:a\r\n\r\n", "a"), data("data:b\r\n\r\n", "b")},
		"CR":                  {data("data: a\r\r", "a"), data("data: b\r\r", "b")},
		"CR, then CRLF":       {data("data: a\r\r", "a"), data("\ndata: b\r\n\r\n", "b")},
		"CR, LF at the end":   {data("data: a\r\r", "a"), idle("\n")},
		"CR, LF, then CRLF":   {data("data: a\r\r", "a"), idle("\n\r\n"), idle("\r\n")},
		"CR, LF, CRLF lines":  {data("data: a\rdata: b\n\r\n", "a\nb"), data("data: c\n\n", "c")},
		"LF, then CR":         {data("data: a\n\r", "a")},
		"CRLF, then CR":       {data("data: a\r\n\r", "a"), data("data: b\r\r", "b")},
		"mixed ends":          {data("data: a\r\n\n", "a"), data("data: b\n\r\n", "b")},
		"many lines":          {data("data: a\ndata\ndata:  b\n\n", "a\n\n b"), data("data: c\r\ndata:d\r\n\r\n", "c\nd")},
		"empty lines of data": {data("data\ndata\n\n", "\n")},
		"comment":             {idle(": ping\n"), idle("\n"), data("data: a\n\n", "a")},
		"comment alone":       {idle(":\n"), idle(":\n"), data("data: a\n: within\ndata: b\n\n", "a\nb")},
		"comment, CRLF":       {idle(": ping\r\n"), idle("\r\n"), data("data: a\r\n\r\n", "a")},
		"blank lines":         {idle("\n"), idle("\r\n"), data("data: a\n\n", "a"), idle("\n")},
		"no data":             {idle("event\n\n"), idle("data-x: 1\n\n"), idle(" data: 1\n\n")},
		"id with a NUL":       {data("id: a\x00b\ndata: a\n\n", "a")},
		"byte order mark":     {data(mark+"data: a\n\n", "a"), idle(mark + "data: b\n\n")},
		"mark and comment":    {idle(mark + ":\n"), data("data: a\n\n", "a")},
		"mark alone":          {idle(mark)},
		"no mark":             {idle("\xef\xbbdata: a\n\n"), data("data: b\n\n", "b")},
	} {
		var in []byte
		for _, e := range want {
			in = append(in, e.Raw...)
		}
		got, err := all(bytes.NewReader(in), 1<<20)
		for i := range got {
			got[i].lead = 0
		}
		if !errors.Is(err, io.EOF) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\ngot %s\nwant %s", name, err, show(got), show(want))
		}
	}
}

func TestEventsAreReturnedAsSoonAsTheyAreWhole(t *testing.T) {
	for _, stream := range [][]string{
		{"data: a\n\n", "data: b\n\n"},
		{"data: a\r\n\r\n", ": comment\r\n", "\r\n", "data: b\r\n\r\n"},
		{"data: a\r\r", "data: b\r\r"},
		{"data: a\r\r", "\ndata: b\r\n\r\n"},
		{": comment\n", "data: a\n\n", ":\n"},
		{"\xef\xbb\xbfdata: a\n\n"},
	} {
		r, w := io.Pipe() // a read more than there are writes would wait for ever
		events := NewEvents(r, 1<<20)
		for _, text := range stream {
			go func() { _, _ = io.WriteString(w, text) }()
			if e, err := events.Next(); err != nil || string(e.Raw) != text {
				t.Errorf("%q: %+v, %v", text, e, err)
			}
		}
		_ = w.Close()
	}
}

func TestEventsTellHowAStreamEnded(t *testing.T) {
	for in, want := range map[string]error{
		"": io.EOF, "data: a\n\n": io.EOF, ": c\n": io.EOF, "data: a\r\n\r": io.EOF, "data: a\r\r\n": io.EOF, "\xef\xbb\xbf": io.EOF,
		"data: a\n\ndata: b\n": io.ErrUnexpectedEOF, "data": io.ErrUnexpectedEOF, ": c": io.ErrUnexpectedEOF, "data: a\r": io.ErrUnexpectedEOF,
		"\xef\xbb": io.ErrUnexpectedEOF,
	} {
		if _, err := all(strings.NewReader(in), 1<<20); !errors.Is(err, want) {
			t.Errorf("%q ends with %v, want %v", in, err, want)
		}
	}
	broken := errors.New("reset")
	if got, err := all(io.MultiReader(strings.NewReader("data: a\n\nda"), iotest.ErrReader(broken)), 1<<20); !errors.Is(err, broken) || len(got) != 1 {
		t.Errorf("%d events, %v", len(got), err)
	}
	if got, err := all(iotest.DataErrReader(strings.NewReader("data: a\n\ndata: b\n\n")), 1<<20); !errors.Is(err, io.EOF) || len(got) != 2 {
		t.Errorf("an end that comes with the last bytes: %d events, %v", len(got), err)
	}
}

// mute is a reader that neither has anything nor ends.
type mute struct{}

func (mute) Read([]byte) (int, error) { return 0, nil }

func TestEventsGiveUpASourceThatOnlyReturnsNothing(t *testing.T) {
	if _, err := all(mute{}, 1<<20); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

func TestEventsHaveALimit(t *testing.T) {
	for _, limit := range []int{10, 4096, 10_000, 1 << 17} {
		event := func(n int) string { return "data: " + strings.Repeat("x", n-8) + "\n\n" }
		for _, one := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
			if got, err := all(one(strings.NewReader(event(limit)+event(limit))), limit); !errors.Is(err, io.EOF) || len(got) != 2 {
				t.Errorf("at a limit of %d: %d events, %v", limit, len(got), err)
			}
			if got, err := all(one(strings.NewReader(event(limit)+event(limit+1)+event(limit))), limit); !errors.Is(err, ErrEventTooLarge) || len(got) != 1 {
				t.Errorf("one over a limit of %d: %d events, %v", limit, len(got), err)
			}
		}
	}
	e := NewEvents(strings.NewReader("data: a\n\n"+strings.Repeat("data: x\n", 100)+"\ndata: b\n\n"), 100)
	for i := range 4 {
		if _, err := e.Next(); errors.Is(err, ErrEventTooLarge) != (i > 0) {
			t.Errorf("event %d after one that is too large: %v", i, err)
		}
	}
}
