package envelope

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWithoutTakesOutWhatIsDroppedAndKeepsEveryOtherByte(t *testing.T) {
	for text, want := range map[string]string{
		`[ 1 , "drop" , 3 ]`:         `[ 1 , 3 ]`,
		`["drop",2]`:                 `[2]`,
		`[ "drop" , "drop" , 3 ]`:    `[ 3 ]`,
		`[1, "drop", "drop"]`:        `[1]`,
		`["drop",1,"drop",2,"drop"]`: `[1,2]`,
		`[ "drop" ]`:                 `[  ]`,
		`["drop" , "drop"]`:          `[]`,
		`[]`:                         `[]`,
		`{"a":9007199254740993,"drop":1 ,"b":1e400}`: `{"a":9007199254740993 ,"b":1e400}`,
		`{"dr\u006fp":{"drop":[]},"b":1.0}`:          `{"b":1.0}`,
		`{ "drop" : 1 }`:                             `{  }`,
	} {
		v, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		edits := v.Without(func(key, value Value) bool { return key.Is("drop") || value.Is("drop") })
		if got := string(Splice(nil, []byte(text), edits...)); got != want || !json.Valid([]byte(got)) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestAppendPutsMembersLast(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: `{"k":1}`, `{ }`: `{"k":1 }`, `{"a":[] }`: `{"a":[],"k":1 }`, ` {"a":1,"b":{"c":2}} `: ` {"a":1,"b":{"c":2},"k":1} `,
	} {
		if got := string(Splice(nil, []byte(text), ValueOf([]byte(text)).Append(AppendMember(nil, "k", []byte("1"))))); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestReframeChangesTheDataAlone(t *testing.T) {
	for raw, want := range map[string]string{
		"data: a\n\n": "data: NEW\n\n",
		"id: 7\nevent: message\nretry: 10\ndata:a\n: c\n\n": "id: 7\nevent: message\nretry: 10\ndata:NEW\n: c\n\n",
		"data: {\r\ndata:  \"a\"}\r\nid: 1\r\n\r\n":         "data: NEW\r\nid: 1\r\n\r\n",
		"data: a\rid\rdata: b\rdatax: c\r\r":                "data: NEW\rid\rdatax: c\r\r",
		"\xef\xbb\xbfdata: a\n\n":                           "\xef\xbb\xbfdata: NEW\n\n",
	} {
		event, err := NewEvents(strings.NewReader(raw), 1<<10).Next()
		if err != nil {
			t.Fatal(err)
		}
		if got := string(event.Reframe(nil, []byte("NEW"))); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
		lines := event.Reframe(nil, []byte("x\ny"))
		again, err := NewEvents(strings.NewReader(string(lines)), 1<<10).Next()
		if err != nil || string(again.Data) != "x\ny" || again.ID != event.ID || again.Type != event.Type {
			t.Errorf("%q: data of two lines is read as %+v, %v", raw, again, err)
		}
	}
}
