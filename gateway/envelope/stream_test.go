package envelope

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// pieces is a reader of a text in pieces of that size; between is called before each.
type pieces struct {
	text    string
	size    int
	between func()
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.between != nil {
		p.between()
	}
	if p.text == "" {
		return 0, io.EOF
	}
	n := copy(b, p.text[:min(p.size, len(p.text))])
	p.text = p.text[n:]
	return n, nil
}

func TestEventsLetGoOfBigBuffersWhileTheyWait(t *testing.T) {
	var kept int
	big := strings.Repeat("data: "+strings.Repeat("x", 1<<20)+"\n", 2)
	from := &pieces{text: big + "\ndata: a\n\n", size: 1 << 16}
	e := NewEvents(from, 1<<22)
	from.between = func() { kept = cap(e.buffer) + cap(e.joined) }
	for range 2 {
		if _, err := e.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if kept < 1<<20 {
		t.Errorf("%d bytes held a big event", kept)
	}
	if _, err := e.Next(); !errors.Is(err, io.EOF) || kept > 16*keptBuffer {
		t.Errorf("%d bytes are kept while nothing comes, %v", kept, err)
	}
}

func TestEventsHoldLittleMoreThanTheirLimit(t *testing.T) {
	const limit = 5 << 20
	e := NewEvents(&pieces{text: strings.Repeat("x", 2*limit), size: 1 << 14}, limit)
	most := 0
	e.from.(*pieces).between = func() { most = max(most, cap(e.buffer)) }
	if _, err := e.Next(); !errors.Is(err, ErrEventTooLarge) || most > limit+keptBuffer || e.buffer != nil {
		t.Errorf("%d bytes for a limit of %d, %v", most, limit, err)
	}
}

// A big event comes in thousands of pieces: to look at all of it with each would take minutes.
func TestEventsLookAtEachByteOnce(t *testing.T) {
	for name, text := range map[string]string{
		"one long line":     "data: " + strings.Repeat("x", 8<<20) + "\n\n",
		"lines without LF":  strings.Repeat("d\r", 1<<20) + "\r",
		"lines without CR":  strings.Repeat("d\n", 1<<20) + "\n",
		"many small events": strings.Repeat("d\n\n", 1<<18),
	} {
		for _, size := range []int{256, 32 << 20} {
			from := &pieces{text: text, size: size}
			e, n, again := NewEvents(from, 17<<20), 0, 0
			from.between = func() { again += max(0, len(e.buffer)-e.start-e.seen-1) } // all but a last CR
			for {
				event, err := e.Next()
				if err != nil {
					break
				}
				n += len(event.Raw)
			}
			if n != len(text) || again > 0 {
				t.Errorf("%s: %d bytes of %d, %d looked at again", name, n, len(text), again)
			}
		}
	}
}

func TestEventsAllocateNothingOnceTheyRun(t *testing.T) {
	text := strings.Repeat("event: message\ndata: {\"jsonrpc\":\"2.0\"}\n\n: ping\n\ndata: a\r\ndata: b\r\n\r\n", 1000)
	e := NewEvents(&pieces{text: text, size: 1000}, 1<<20)
	next := func() {
		for range 4 { // the events there are, a comment and a blank line among them
			if _, err := e.Next(); err != nil {
				t.Fatal(err)
			}
		}
	}
	next()
	if n := testing.AllocsPerRun(900, next); n != 0 {
		t.Errorf("%v allocations for four events", n)
	}
}

// FuzzEvents divides a stream at every byte: the events are the same, to the byte, and they are those that a
// reader by the letter of the standard finds.
func FuzzEvents(f *testing.F) {
	for _, seed := range []string{
		"data: a\n\n", "id: 1\r\ndata: a\r\n\r\n", "data: a\r\r", ": c\n\nevent: x\ndata\n\n", "\n\n\r\n", "data: half",
		"\xef\xbb\xbfdata: a\n\n", "\xef\xbb\xbf", "data: a\r\r\n\ndata: b\n\r", "\r\r\n\r:\r\n\n", "data: a\n\r\n:\r\rdata: b\r\n\r",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		whole, err := all(bytes.NewReader(in), 1<<20)
		var raw []byte
		for _, e := range whole {
			raw = append(raw, e.Raw...)
		}
		if !bytes.HasPrefix(in, raw) || errors.Is(err, io.EOF) != (len(raw) == len(in)) {
			t.Fatalf("%q of %q, %v", raw, in, err)
		}
		got, errGot := all(iotest.OneByteReader(bytes.NewReader(in)), 1<<20)
		same(t, whole, got, err, errGot)
		for at := 1; at < min(len(in), 300); at++ {
			got, errGot := all(io.MultiReader(bytes.NewReader(in[:at]), bytes.NewReader(in[at:])), 1<<20)
			same(t, whole, got, err, errGot)
		}
		var dispatched []Event
		for _, e := range whole {
			if e.Raw, e.lead = nil, 0; e.Data != nil {
				dispatched = append(dispatched, e)
			}
		}
		if want := byTheLetter(string(in)); !reflect.DeepEqual(dispatched, want) {
			t.Fatalf("got %s\nwant %s", show(dispatched), show(want))
		}
	})
}

func same(t *testing.T, want, got []Event, errWant, errGot error) {
	t.Helper()
	if !reflect.DeepEqual(got, want) || errWant != errGot {
		t.Fatalf("divided %s\n%v\nwhole %s\n%v", show(got), errGot, show(want), errWant)
	}
}

// byTheLetter reads a stream as the standard describes it: one line after the other. Events without data are
// dropped, as is one at the end that no blank line ends.
func byTheLetter(stream string) (events []Event) {
	stream = strings.TrimPrefix(stream, "\ufeff")
	stream = strings.ReplaceAll(strings.ReplaceAll(stream, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(stream, "\n")
	var e Event
	for _, line := range lines[:len(lines)-1] {
		if line == "" {
			if e.Data != nil {
				e.Data = e.Data[:len(e.Data)-1]
				events = append(events, e)
			}
			e = Event{}
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "data":
			e.Data = append(append(e.Data, value...), '\n')
		case "event":
			e.Type = value
		case "id":
			if !strings.Contains(value, "\x00") {
				e.ID, e.HasID = value, true
			}
		}
	}
	return events
}

func BenchmarkEvents(b *testing.B) {
	for name, size := range map[string]int{"0.5KiB": 480, "64KiB": 64 << 10, "1MiB": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			event := string(AppendEvent(nil, []byte(strings.Repeat("x", size))))
			from := &pieces{size: 16 << 10}
			e := NewEvents(from, 1<<22)
			b.SetBytes(int64(len(event)))
			b.ReportAllocs()
			for b.Loop() {
				from.text = event
				if _, err := e.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
