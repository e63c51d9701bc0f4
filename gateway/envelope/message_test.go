package envelope

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestReadTakesWhatItNeedsFromGoodMessages(t *testing.T) {
	for body, want := range map[string]Message{
		`{"jsonrpc":"2.0","id":1,"method":"ping"}`:                                {Kind: Request, ID: []byte("1"), Method: "ping"},
		` {"method":"tools/call","params":{"name":"a\u0062c"},"id":"x\"y"} `:      {Kind: Request, ID: []byte(`"x\"y"`), Method: "tools/call", Name: "abc"},
		`{"id":9007199254740993,"method":"tools/call","params":{"arguments":{}}}`: {Kind: Request, ID: []byte("9007199254740993"), Method: "tools/call"},
		`{"id":null,"method":"m"}`:                                                {Kind: Request, ID: []byte("null"), Method: "m"},
		`{"id":-1.5e3,"method":"m"}`:                                              {Kind: Request, ID: []byte("-1.5e3"), Method: "m"},
		`{"method":"notifications/initialized"}`:                                  {Kind: Notification, Method: "notifications/initialized"},
		`{"params":{"name":"p"},"id":1,"method":"prompts/get"}`:                   {Kind: Request, ID: []byte("1"), Method: "prompts/get", Name: "p"},
		`{"id":1,"method":"resources/read","params":{"uri":"file:///x","name":"n"}}`: {
			Kind: Request, ID: []byte("1"), Method: "resources/read", Name: "file:///x"},
		`{"id":1,"method":"tools/list","params":{"name":"n"}}`: {Kind: Request, ID: []byte("1"), Method: "tools/list"},
		`{"id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}`: {
			Kind: Request, ID: []byte("1"), Method: "initialize", Version: "2025-06-18"},
		`{"id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","traceparent":"tp","tracestate":"ts"}}}`: {
			Kind: Request, ID: []byte("1"), Method: "tools/list", Version: "2026-07-28", Traceparent: "tp", Tracestate: "ts"},
		`{"id":1,"method":"x","params":[1,{"name":"n"}]}`:                      {Kind: Request, ID: []byte("1"), Method: "x"},
		`{"id":1,"method":"tools/call","params":{"name":7}}`:                   {Kind: Request, ID: []byte("1"), Method: "tools/call"},
		`{"id":1,"method":"tools/call","params":{"_meta":null,"name":"n"}}`:    {Kind: Request, ID: []byte("1"), Method: "tools/call", Name: "n"},
		`{"id":1,"result":{"content":[],"isError":true}}`:                      {Kind: Response, ID: []byte("1"), ToolError: true},
		`{"id":1,"result":{"isError":false}}`:                                  {Kind: Response, ID: []byte("1")},
		`{"id":"a","result":null}`:                                             {Kind: Response, ID: []byte(`"a"`)},
		`{"id":1,"error":{"code":-32602,"message":"m","data":{"code":7}}}`:     {Kind: Response, ID: []byte("1"), IsError: true, Code: -32602},
		`{"id":"","result":null,"error":{"code":-32600,"message":"m"}}`:        {Kind: Response, ID: []byte(`""`), IsError: true, Code: -32600},
		`{"error":{"code":-1}}`:                                                {Kind: Response, IsError: true, Code: -1},
		`{"id":1,"method":"m","params":{"x":"\ud800","deep":[[[[{"a":1}]]]]}}`: {Kind: Request, ID: []byte("1"), Method: "m"},
	} {
		want.Strict = true
		got, err := Read([]byte(body))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", body, got, err, want)
		}
	}
}

func TestReadNamesNothingThatParsersDisagreeAbout(t *testing.T) {
	for _, body := range []string{
		`{"id":1,"method":"ping","method":"tools/call"}`,
		`{"id":1,"method":"ping","\u006dethod":"tools/call"}`,
		`{"id":1,"method":"ping","Method":"tools/call"}`,
		`{"id":1,"METHOD":"x","method":"ping"}`,
		`{"id":1,"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}`,
		`{"id":1,"method":"tools/call","params":{"name":"a"},"paramſ":{"name":"b"}}`,
		`{"id":1,"method":"tools/call","params":{"name":"a","name":"b"}}`,
		`{"id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}`,
		`{"id":1,"ID":2,"method":"tools/call","params":{"name":"a"}}`,
		`{"id":1,"method":"x","params":{"_meta":{"traceparent":"a","traceparent":"b"}}}`,
		`{"id":1,"method":"x","params":{"_meta":{},"_META":{}}}`,
	} {
		m, err := Read([]byte(body))
		if err != nil || m.Strict || m.Method != "" || m.Name != "" || m.Traceparent != "" || m.Kind != Request || len(m.ID) == 0 {
			t.Errorf("%s: %+v, %v", body, m, err)
		}
	}
	// What is not read may stand twice.
	if m, err := Read([]byte(`{"id":1,"method":"x","params":{"arguments":{"a":1,"a":2},"x":1,"x":2},"y":1,"y":2}`)); err != nil || !m.Strict {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestReadRefusesWhatIsNoJSON(t *testing.T) {
	for name, body := range map[string]string{
		"nothing": "", "space": " \n", "half": `{"method":`, "two documents": `{"method":"a"}{"method":"b"}`,
		"trailing": `{"method":"a"} x`, "NUL": "{\"method\":\"a\"}\x00", "byte order mark": "\xef\xbb\xbf{\"method\":\"a\"}",
		"UTF-16": "{\x00\"\x00}\x00", "not UTF-8": "{\"method\":\"\xff\"}", "NaN": `{"id":NaN}`, "Infinity": `{"id":Infinity}`,
		"single quotes": `{'method':'a'}`, "comment": `{"method":"a"/* */}`, "trailing comma": `{"method":"a",}`,
		"no comma": `{"a":1 "b":2}`, "no colon": `{"a" 1}`, "bare key": `{method:"a"}`, "control character": "{\"a\":\"\n\"}",
		"bad escape": `{"a":"\x"}`, "bad \\u": `{"a":"\u12g4"}`, "leading zero": `{"id":01}`, "plus": `{"id":+1}`,
		"dot": `{"id":1.}`, "exponent": `{"id":1e}`, "minus": `{"id":-}`, "word": `{"id":nul}`, "list": `[1,2`, "list comma": `[1,]`,
		"too deep": `{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, "end in escape": `{"a":"\`,
	} {
		_, err := Read([]byte(body))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%s: %v, want a SyntaxError", name, err)
		} else if syntax.Offset > len(body) || !strings.HasPrefix(err.Error(), "byte ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadRefusesWhatIsNoMessage(t *testing.T) {
	for _, body := range []string{
		`7`, `"x"`, `null`, `true`, `{}`, `{"id":1}`, `[]`, `[1]`, `[{"method":"a"},{}]`, `{"jsonrpc":"2.0"}`,
		`{"id":{},"method":"a"}`, `{"id":[1],"method":"a"}`, `{"id":true,"method":"a"}`, `{"method":7,"id":1}`, `{"id":1,"error":7}`,
	} {
		_, err := Read([]byte(body))
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Error() == "" {
			t.Errorf("%s: %v, want a Refusal", body, err)
		}
	}
}

func TestReadTakesBatches(t *testing.T) {
	m, err := Read([]byte(`[{"id":1,"method":"ping"},{"method":"n"},{"id":2,"result":{}}]`))
	if err != nil || m.Kind != Batch || !m.Strict || len(m.Batch) != 3 || m.Batch[0].Method != "ping" || m.Batch[1].Kind != Notification || m.Batch[2].Kind != Response {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err := Read([]byte(`[{"id":1,"method":"ping","method":"x"}]`)); err != nil || m.Strict {
		t.Errorf("an element that is not strict: %+v, %v", m, err)
	}
}

// FuzzRead holds the scanner against encoding/json: they agree on what is JSON, but for what is refused on
// purpose, and on what it says.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"a","_meta":{"traceparent":"x"}}}`,
		`[{"id":1,"method":"ping"}]`, `{"id":"\u00e9\\","result":{"isError":true}}`, `{"error":{"code":-1}}`, `[]`, `{"a":[1,-0.5e+7,null]}`,
		"\xef\xbb\xbf{}", "{\"a\":\"\xff\"}", `{"METHOD":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := Read(body)
		var syntax *SyntaxError
		if errors.As(err, &syntax) {
			deliberate := strings.Contains(syntax.What, "UTF-8") || strings.Contains(syntax.What, "nested")
			if json.Valid(body) && !deliberate {
				t.Fatalf("refused valid JSON: %v", err)
			}
			return
		}
		if !json.Valid(body) {
			t.Fatalf("accepted %+v", m)
		}
		if err != nil || m.Kind == Batch || !m.Strict {
			return
		}
		var want map[string]json.RawMessage
		if json.Unmarshal(body, &want) != nil {
			t.Fatalf("an accepted message is no object: %s", body)
		}
		var method string
		if raw, ok := want["method"]; ok && json.Unmarshal(raw, &method) == nil && method != m.Method {
			t.Fatalf("method %q, encoding/json reads %q", m.Method, method)
		}
		if raw, ok := want["id"]; ok != (m.ID != nil) || string(raw) != string(m.ID) {
			t.Fatalf("id %s, encoding/json reads %s", m.ID, raw)
		}
	})
}

func TestReadAllocatesForNamesAlone(t *testing.T) {
	body := []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"q":"` + strings.Repeat("x", 400) + `"}}}`)
	if n := testing.AllocsPerRun(100, func() { _, _ = Read(body) }); n > 24 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRead(b *testing.B) {
	for name, size := range map[string]int{"0.5KiB": 400, "64KiB": 64 << 10} {
		body := []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"q":"` + strings.Repeat("x", size) + `"}}}`)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
