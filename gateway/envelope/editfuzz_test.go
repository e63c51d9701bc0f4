package envelope

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// listed are the members or elements of a value as encoding/json finds them, keys before their values.
func listed(t *testing.T, text []byte) (all []string) {
	t.Helper()
	tokens := json.NewDecoder(bytes.NewReader(text))
	tokens.UseNumber()
	first, err := tokens.Token()
	if err != nil || first != json.Delim('{') && first != json.Delim('[') {
		return nil
	}
	for tokens.More() {
		item := ""
		if first == json.Delim('{') {
			key, err := tokens.Token()
			if err != nil {
				t.Fatal(err)
			}
			item = key.(string) + ": "
		}
		var value json.RawMessage
		if err := tokens.Decode(&value); err != nil {
			t.Fatal(err)
		}
		all = append(all, item+string(value))
	}
	return all
}

// FuzzEdit takes members or elements out of a value, and puts one in: what stays is what encoding/json finds there.
func FuzzEdit(f *testing.F) {
	for _, seed := range []string{`[1, "a" ,{"b":[]}]`, `{"a":1e400,"\u0062":"\\\"", "c" : null }`, `[]`, ` {} `, `[[],[[]]]`, `"a"`, `{"é":9007199254740993}`} {
		f.Add([]byte(seed), uint8(5))
	}
	f.Fuzz(func(t *testing.T, text []byte, which uint8) {
		v, err := Parse(text)
		if err != nil {
			return
		}
		var want []string
		for i, item := range listed(t, text) {
			if which>>(i%8)&1 == 0 {
				want = append(want, item)
			}
		}
		i := -1
		edits := v.Without(func(Value, Value) bool { i++; return which>>(i%8)&1 == 1 })
		kept := Splice(nil, text, edits...)
		if got := listed(t, kept); !json.Valid(kept) || !slices.Equal(got, want) {
			t.Fatalf("%s without some is %s\n%q, want %q", text, kept, got, want)
		}
		item, added := "7", "7"
		switch {
		case v.IsObject():
			item, added = `"a new one":7`, "a new one: 7"
		case !v.IsArray():
			return
		}
		more := Splice(nil, kept, ValueOf(kept).Append([]byte(item)))
		if got := listed(t, more); !json.Valid(more) || !slices.Equal(got, append(want, added)) {
			t.Fatalf("%s with one more is %s", kept, more)
		}
	})
}

// FuzzPlace puts members into params._meta: whatever the message, nothing else of it changes.
func FuzzPlace(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"x"}`, `{"id":1,"method":"x","params":null}`, `{"id":1,"method":"x","params":{"_meta":{"k":1}, "a":[1.0]}}`,
		`{"method":"n","params":{ }}`, `{"id":1,"method":"x","params":{"\u005fmeta":null}}`, `[{"id":1,"method":"x"}]`, `{"id":1,"method":"x","params":{"_meta":7}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := Read(body)
		if err != nil {
			return
		}
		p := m.Place(body, []Member{{Key: "k", Value: []byte(`"v"`)}, {Key: "traceparent", Value: []byte(`"t"`), Wins: true}})
		if p.Edits == nil {
			return
		}
		got := Splice(nil, body, p.Edits...)
		placed, err := Read(got)
		if err != nil || !m.Strict || placed.Traceparent != "t" || placed.Method != m.Method || placed.Name != m.Name || string(placed.ID) != string(m.ID) {
			t.Fatalf("%s became %s: %+v, %v", body, got, placed, err)
		}
		others := func(text []byte, key string) []string {
			return slices.DeleteFunc(listed(t, text), func(item string) bool { return strings.HasPrefix(item, key+": ") })
		}
		before, after := ValueOf(body), ValueOf(got)
		if !slices.Equal(others(body, "params"), others(got, "params")) {
			t.Fatalf("%s became %s", body, got)
		}
		if params := before.Get("params"); params.IsObject() && !slices.Equal(others(params.Raw(), "_meta"), others(after.Get("params").Raw(), "_meta")) {
			t.Fatalf("%s became %s", body, got)
		}
		meta := after.Get("params").Get("_meta")
		if old := before.Get("params").Get("_meta").Get("k"); old.Exists() && string(old.Raw()) != string(meta.Get("k").Raw()) || !old.Exists() && !meta.Get("k").Is("v") {
			t.Fatalf("%s became %s: the client's own key wins", body, got)
		}
	})
}

// FuzzReframe gives the events of a stream other data: a client reads that, and everything else as before.
func FuzzReframe(f *testing.F) {
	for _, seed := range []string{
		"data: a\n\n", "id: 1\ndata\r\n: c\r\ndata:b\r\nretry: 1\r\n\r\n", "data: a\r\rdata: b\r\r", "\xef\xbb\xbfdata: a\n\n", "data: a\r\r\ndata: b\n\n", "event: x\ndata:  \nid\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole, _ := all(bytes.NewReader(stream), 1<<20)
		for _, e := range whole {
			if e.Data == nil {
				continue
			}
			changed := e.Reframe(nil, []byte("x\ny"))
			if e.lead != len(byteOrderMark) {
				changed = append([]byte(":\n\n"), changed...) // it is not where the stream begins
			}
			var got []Event
			for _, c := range must(all(bytes.NewReader(changed), 1<<20)) {
				if c.Data != nil {
					got = append(got, c)
				}
			}
			if len(got) != 1 || string(got[0].Data) != "x\ny" || got[0].Type != e.Type || got[0].ID != e.ID || got[0].HasID != e.HasID {
				t.Fatalf("%q became %q, which is read as %s", e.Raw, changed, show(got))
			}
		}
	})
}

func must(events []Event, _ error) []Event { return events }
