package envelope

import (
	"bytes"
	"errors"
	"io"
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

func TestEventsAreTakenApart(t *testing.T) {
	for name, test := range map[string]struct {
		in   string
		want []Event
	}{
		"one":         {"event: message\ndata: {\"a\":1}\n\n", []Event{{Data: []byte(`{"a":1}`), Type: "message"}}},
		"two":         {"data: a\n\ndata: b\n\n", []Event{{Data: []byte("a")}, {Data: []byte("b")}}},
		"CRLF":        {"id: 7\r\ndata:a\r\n\r\n", []Event{{Data: []byte("a"), ID: "7", HasID: true}}},
		"CR":          {"data: a\r\rdata: b\r\r", []Event{{Data: []byte("a")}, {Data: []byte("b")}}},
		"many lines":  {"data: a\ndata\ndata:  b\n\n", []Event{{Data: []byte("a\n\n b")}}},
		"comment":     {": ping\n\n", []Event{{}}},
		"empty data":  {"id:\ndata:\nretry: 5\n\n", []Event{{Data: []byte(""), HasID: true}}},
		"blank lines": {"\n\ndata: a\n\n", []Event{{}, {}, {Data: []byte("a")}}},
		"mixed ends":  {"data: a\r\n\ndata: b\n\r\n", []Event{{Data: []byte("a")}, {Data: []byte("b")}}},
	} {
		got, err := all(strings.NewReader(test.in), 1<<20)
		if !errors.Is(err, io.EOF) || len(got) != len(test.want) {
			t.Errorf("%s: %d events, %v", name, len(got), err)
			continue
		}
		var raw []byte
		for i, e := range got {
			raw = append(raw, e.Raw...)
			w := test.want[i]
			if string(e.Data) != string(w.Data) || e.Type != w.Type || e.ID != w.ID || e.HasID != w.HasID {
				t.Errorf("%s: event %d is %+v, want %+v", name, i, e, w)
			}
		}
		if string(raw) != test.in {
			t.Errorf("%s: the bytes are %q", name, raw)
		}
	}
}

func TestEventsAreReturnedAsSoonAsTheyAreWhole(t *testing.T) {
	r, w := io.Pipe()
	events := NewEvents(r, 1<<20)
	for _, text := range []string{"data: a\n\n", "data: b\r\n\r\n", "data: c\r\r"} {
		go func() { _, _ = io.WriteString(w, text) }()
		e, err := events.Next()
		if err != nil || len(e.Data) == 0 {
			t.Errorf("%q: %+v, %v", text, e, err)
		}
	}
	_ = w.Close()
}

func TestEventsTellHowAStreamEnded(t *testing.T) {
	for in, want := range map[string]error{
		"": io.EOF, "data: a\n\n": io.EOF, "data: a\n\ndata: b\n": io.ErrUnexpectedEOF, "data": io.ErrUnexpectedEOF, ": c\n": io.ErrUnexpectedEOF,
	} {
		if _, err := all(strings.NewReader(in), 1<<20); !errors.Is(err, want) {
			t.Errorf("%q ends with %v, want %v", in, err, want)
		}
	}
	broken := errors.New("reset")
	if got, err := all(io.MultiReader(strings.NewReader("data: a\n\nda"), iotest.ErrReader(broken)), 1<<20); !errors.Is(err, broken) || len(got) != 1 {
		t.Errorf("%d events, %v", len(got), err)
	}
}

func TestEventsHaveALimit(t *testing.T) {
	const limit = 10_000
	event := func(n int) string { return "data: " + strings.Repeat("x", n-8) + "\n\n" }
	if got, err := all(strings.NewReader(event(limit)+event(limit)), limit); !errors.Is(err, io.EOF) || len(got) != 2 {
		t.Errorf("at the limit: %d events, %v", len(got), err)
	}
	endless := io.MultiReader(strings.NewReader("data: a\n\n"), strings.NewReader(strings.Repeat("data: x\n", limit)))
	if got, err := all(endless, limit); !errors.Is(err, ErrEventTooLarge) || len(got) != 1 {
		t.Errorf("over it: %d events, %v", len(got), err)
	}
}

func TestEventsLetGoOfBigBuffers(t *testing.T) {
	e := NewEvents(strings.NewReader("data: "+strings.Repeat("x", 1<<20)+"\n\ndata: a\n\n"), 1<<21)
	for range 2 {
		if _, err := e.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if c := cap(e.buffer); c > 64<<10 {
		t.Errorf("after a small event %d bytes are kept", c)
	}
}

// FuzzEvents splits a stream at every byte: the events are the same, and so are their bytes.
func FuzzEvents(f *testing.F) {
	for _, seed := range []string{"data: a\n\n", "id: 1\r\ndata: a\r\n\r\n", "data: a\r\r", ": c\n\nevent: x\ndata\n\n", "\n\n\r\n", "data: half"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 4096 {
			return
		}
		var once, split []byte
		whole, err := all(bytes.NewReader(in), 1<<20)
		pieces, errSplit := all(iotest.OneByteReader(bytes.NewReader(in)), 1<<20)
		var raw []byte
		for _, e := range pieces {
			raw = append(raw, e.Raw...)
			if len(e.Data) > 0 || e.HasID {
				split = append(append(split, e.Data...), 0)
			}
		}
		for _, e := range whole {
			if len(e.Data) > 0 || e.HasID {
				once = append(append(once, e.Data...), 0)
			}
		}
		if !bytes.Equal(once, split) {
			t.Fatalf("whole %q, in pieces %q", once, split)
		}
		if !bytes.HasPrefix(in, raw) || errors.Is(err, io.EOF) != errors.Is(errSplit, io.EOF) {
			t.Fatalf("bytes %q of %q, %v and %v", raw, in, err, errSplit)
		}
	})
}
