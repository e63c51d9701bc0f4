package envelope

import (
	"encoding/json"
	"slices"
	"testing"
)

// The rows of the peer's rules, and what is done in each.
func TestPlaceTouchesNothingButMeta(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"no params":     {`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"AWS_REGION":"r","k":"v"}}}`},
		"params null":   {`{"id":1,"method":"tools/list", "params" : null }`, `{"id":1,"method":"tools/list", "params" : {"_meta":{"AWS_REGION":"r","k":"v"}} }`},
		"params a list": {`{"id":1,"method":"x","params":[1]}`, ""},
		"params a text": {`{"id":1,"method":"x","params":"p"}`, ""},
		"params empty":  {`{"id":1,"method":"x","params":{ }}`, `{"id":1,"method":"x","params":{"_meta":{"AWS_REGION":"r","k":"v"} }}`},
		"client wins":   {`{"id":1,"method":"x","params":{"_meta":{"AWS_REGION":"mine", "x":1}}}`, `{"id":1,"method":"x","params":{"_meta":{"AWS_REGION":"mine", "x":1,"k":"v"}}}`},
		"escaped key":   {`{"id":1,"method":"x","params":{"_meta":{"AWS\u005fREGION":"mine"}}}`, `{"id":1,"method":"x","params":{"_meta":{"AWS\u005fREGION":"mine","k":"v"}}}`},
		"all there":     {`{"id":1,"method":"x","params":{"_meta":{"k":2,"AWS_REGION":null}}}`, ""},
		"meta null":     {`{"id":1,"method":"x","params":{"a":1,"_meta":null}}`, `{"id":1,"method":"x","params":{"a":1,"_meta":{"AWS_REGION":"r","k":"v"}}}`},
		"meta a text":   {`{"id":1,"method":"x","params":{"_meta":"m"}}`, ""},
		"meta a list":   {`{"id":1,"method":"x","params":{"_meta":[]}}`, ""},
		"meta a number": {`{"id":1,"method":"x","params":{"_meta":0}}`, ""},
		"batch":         {`[{"id":1,"method":"x","params":{}}]`, ""},
		"result":        {`{"id":1,"result":{}}`, ""},
		"error":         {`{"id":1,"error":{"code":1},"params":{}}`, ""},
		"notification":  {`{"method":"n","params":{"a":1}}`, `{"method":"n","params":{"a":1,"_meta":{"AWS_REGION":"r","k":"v"}}}`},
		"bare notice":   {`{"method":"n"}`, ""},
		"initialize":    {`{"id":1,"method":"initialize","params":{"protocolVersion":"v"}}`, `{"id":1,"method":"initialize","params":{"protocolVersion":"v","_meta":{"AWS_REGION":"r","k":"v"}}}`},
		"every byte": {
			` { "id" : 9007199254740993 , "method":"tools/call","params":{"name":"é\u00e9","arguments":{"a":1.0,"a":1e400,"b":9007199254740993}, "_meta":{ } } } `,
			` { "id" : 9007199254740993 , "method":"tools/call","params":{"name":"é\u00e9","arguments":{"a":1.0,"a":1e400,"b":9007199254740993}, "_meta":{"AWS_REGION":"r","k":"v" } } } `,
		},
		"two params": {`{"id":1,"method":"x","params":{},"params":{}}`, ""},
	} {
		m, err := Read([]byte(test.body))
		if err != nil {
			t.Fatal(err)
		}
		p := m.Place([]byte(test.body), []Member{{Key: "AWS_REGION", Value: []byte(`"r"`)}, {Key: "k", Value: []byte(`"v"`)}})
		if test.want == "" {
			test.want = test.body
		}
		got := Splice(nil, []byte(test.body), p.Edits...)
		if string(got) != test.want || !json.Valid(got) {
			t.Errorf("%s: %s\nwant %s", name, got, test.want)
		}
		if odd := slices.Contains([]string{"meta a text", "meta a list", "meta a number"}, name); p.Odd != odd {
			t.Errorf("%s: odd: %v", name, p.Odd)
		}
	}
}

func TestPlaceReplacesWhatWins(t *testing.T) {
	body := []byte(`{"id":1,"method":"x","params":{"_meta":{"tracestate":"old","a":1,"traceparent":"old"}}}`)
	m, err := Read(body)
	if err != nil {
		t.Fatal(err)
	}
	p := m.Place(body, []Member{{"a", []byte("2"), false}, {"traceparent", []byte(`"new"`), true}, {"tracestate", []byte(`""`), true}, {"b", []byte("3"), false}})
	if got, want := string(Splice(nil, body, p.Edits...)), `{"id":1,"method":"x","params":{"_meta":{"tracestate":"","a":1,"traceparent":"new","b":3}}}`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if !slices.Equal(p.Kept, []string{"a"}) {
		t.Errorf("kept %q", p.Kept)
	}
}
