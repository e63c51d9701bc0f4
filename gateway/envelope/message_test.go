package envelope

import (
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
		`{"id":1,"method":"x","params":[1,{"name":"n"}]}`:                     {Kind: Request, ID: []byte("1"), Method: "x"},
		`{"id":1,"method":"tools/call","params":{"name":7}}`:                  {Kind: Request, ID: []byte("1"), Method: "tools/call"},
		`{"id":1,"method":"tools/call","params":{"_meta":null,"name":"n"}}`:   {Kind: Request, ID: []byte("1"), Method: "tools/call", Name: "n"},
		`{"id":1,"result":{"content":[],"isError":true}}`:                     {Kind: Response, ID: []byte("1"), ToolError: true},
		`{"id":1,"result":{"isError":false}}`:                                 {Kind: Response, ID: []byte("1")},
		`{"id":"a","result":null}`:                                            {Kind: Response, ID: []byte(`"a"`)},
		`{"id":1,"error":{"code":-32602,"message":"m","data":{"code":7}}}`:    {Kind: Response, ID: []byte("1"), IsError: true, Code: -32602},
		`{"id":"","result":null,"error":{"code":-32600,"message":"m"}}`:       {Kind: Response, ID: []byte(`""`), IsError: true, Code: -32600},
		`{"error":{"code":-1}}`:                                               {Kind: Response, IsError: true, Code: -1},
		`{"id":1,"result":{"isError":true,"code":9},"error":null}`:            {Kind: Response, ID: []byte("1"), ToolError: true},
		`{"id":1,"result":{"isError":true},"error":{"isError":7,"code":"x"}}`: {Kind: Response, ID: []byte("1"), IsError: true, ToolError: true},
		`{"id":1,"\u006dethod":"tools\/call","params":{"n\u0061me":"\ud83d\ude00\n\u00Ef\b\f\r\t\"\/\\"}}`: {
			Kind: Request, ID: []byte("1"), Method: "tools/call", Name: "\U0001f600\nï\b\f\r\t\"/\\"},
		`{"id":1,"method":"initialize","params":{"protocolVersion":"old","_meta":{"\u0069o.modelcontextprotocol/protocolVersion":"new"}}}`: {
			Kind: Request, ID: []byte("1"), Method: "initialize", Version: "new"},
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
		`{"id":1,"method":"ping","\u004dethod":"tools/call"}`,
		`{"id":1,"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}`,
		`{"id":1,"method":"tools/call","params":{"name":"a"},"paramſ":{"name":"b"}}`,
		`{"id":1,"method":"tools/call","params":{"name":"a"},"param\u017f":{"name":"b"}}`,
		`{"id":1,"method":"tools/call","params":{"name":"a","name":"b"}}`,
		`{"id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}`,
		`{"id":1,"ID":2,"method":"tools/call","params":{"name":"a"}}`,
		`{"id":1,"jsonrpc":"2.0","jsonrpc":"1.0","method":"x"}`,
		`{"id":1,"method":"x","params":{"_meta":{"traceparent":"a","traceparent":"b"}}}`,
		`{"id":1,"method":"x","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"a","io.modelcontextprotocol/protocolverſion":"b"}}}`,
		`{"id":1,"method":"x","params":{"_meta":{},"_META":{}}}`,
		`{"id":1,"method":"tools/call","params":{"name":"a\ud800"}}`,
		`{"id":1,"method":"tools/call","params":{"name":"\udc00\ud800"}}`,
		`{"id":1,"method":"\ud800\u0041"}`,
		`{"id":1,"method":"x","params":{"_meta":{"tracestate":"\udfff"}}}`,
	} {
		got, err := Read([]byte(body))
		if want := (Message{Kind: Request, ID: []byte("1")}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}

func TestReadTellsOfAnAmbiguousMessageWhatIsBeyondDoubt(t *testing.T) {
	for body, want := range map[string]Message{
		`{"id":1,"id":2,"method":"m"}`:                           {Kind: Request},
		`{"id":1,"i\u0064":1,"method":"m"}`:                      {Kind: Request},
		`{"method":"m","method":"n"}`:                            {Kind: Notification},
		`{"ID":1,"method":"m"}`:                                  {Kind: Notification},
		`{"id":1,"result":{},"error":{"code":1},"error":null}`:   {Kind: Response, ID: []byte("1")},
		`{"id":1,"error":{"code":1,"Code":2}}`:                   {Kind: Response, ID: []byte("1"), IsError: true},
		`{"id":1,"result":{"isError":true,"isError":false}}`:     {Kind: Response, ID: []byte("1")},
		`{"id":1,"id":2,"result":{"isError":true}}`:              {Kind: Response},
		`{"id":1,"result":{"isError":true},"METHOD":"m"}`:        {Kind: Response, ID: []byte("1")},
		`{"id":1,"result":{"isError":true},"result":{}}`:         {Kind: Response, ID: []byte("1")},
		`{"id":1,"result":{"iserror":true,"isError":true}}`:      {Kind: Response, ID: []byte("1")},
		`{"id":1,"error":{"code":5},"result":{"isERROR":false}}`: {Kind: Response, ID: []byte("1"), IsError: true, Code: 5},
	} {
		if got, err := Read([]byte(body)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", body, got, err, want)
		}
	}
}

func TestReadLetsStandTwiceWhatItDoesNotRead(t *testing.T) {
	for _, body := range []string{
		`{"id":1,"method":"x","params":{"arguments":{"a":1,"a":2,"name":1,"Name":2},"x":1,"x":2},"y":1,"y":2}`,
		`{"id":1,"method":"x","name":1,"Name":2,"params":{"method":1,"METHOD":2,"_meta":{"name":1,"name":2}}}`,
		`{"id":1,"method":"x","params":{"a":"\ud800","\ud800":1,"name":"\ud800"}}`,
		`{"id":"\ud800","method":"x"}`,
		`{"id":1,"method":"x","methods":1,"methods":2,"ids":1,"ids":2,"":1,"":2}`,
		`{"id":1,"error":{"code":1,"":1,"":2,"data":{"code":1,"code":2}}}`,
	} {
		if m, err := Read([]byte(body)); err != nil || !m.Strict {
			t.Errorf("%s: %+v, %v", body, m, err)
		}
	}
}

func TestReadRefusesWhatIsNoJSON(t *testing.T) {
	for name, body := range map[string]string{
		"nothing": "", "space": " \n", "half": `{"method":`, "two documents": `{"method":"a"}{"method":"b"}`,
		"trailing": `{"method":"a"} x`, "NUL": "{\"method\":\"a\"}\x00",
		"UTF-16": "{\x00\"\x00}\x00", "NaN": `{"id":NaN}`, "Infinity": `{"id":Infinity}`,
		"single quotes": `{'method':'a'}`, "comment": `{"method":"a"/* */}`, "trailing comma": `{"method":"a",}`,
		"no comma": `{"a":1 "b":2}`, "no colon": `{"a" 1}`, "bare key": `{method:"a"}`, "control character": "{\"a\":\"\n\"}",
		"bad escape": `{"a":"\x"}`, "bad \\u": `{"a":"\u12g4"}`, "leading zero": `{"id":01}`, "plus": `{"id":+1}`,
		"dot": `{"id":1.}`, "exponent": `{"id":1e}`, "minus": `{"id":-}`, "word": `{"id":nul}`, "list": `[1,2`, "list comma": `[1,]`,
		"too deep": nested(10_001), "two marks": "\xef\xbb\xbf\xef\xbb\xbf{}", "half escaped": `{"a":"\u00`, "colon missing at the end": `{"a"`, "end in escape": `{"a":"\`,
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
		`{"result":{}}`, `{"METHOD":"x","id":1}`, `{"id":{},"id":1,"method":"a"}`, `{"id":1,"method":"a","method":null}`, `{"method":7,"method":"a"}`,
		`[[{"method":"a"}]]`, `[{"method":"a"},1]`, `{"id":1,"error":"x"}`, `{"id":1,"result":{},"id":[]}`,
		`{"id":{},"method":"a"}`, `{"id":[1],"method":"a"}`, `{"id":true,"method":"a"}`, `{"method":7,"id":1}`, `{"id":1,"error":7}`,
	} {
		_, err := Read([]byte(body))
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Error() == "" {
			t.Errorf("%s: %v, want a Refusal", body, err)
		}
	}
}

// nested is a message of that depth.
func nested(depth int) string {
	return `{"method":"m","a":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
}

func TestReadGoesToItsDepthAndNoDeeper(t *testing.T) {
	if _, err := Read([]byte(nested(maxDepth))); err != nil {
		t.Error(err)
	}
	if _, err := Read([]byte(`{"method":"m","a":[` + strings.Repeat("[[],{}],", maxDepth) + `0]}`)); err != nil {
		t.Errorf("side by side: %v", err)
	}
	for _, body := range []string{nested(maxDepth + 1), `[` + nested(maxDepth) + `]`, strings.Repeat("[", 1<<20), strings.Repeat(`{"a":`, 1<<20)} {
		var syntax *SyntaxError
		if _, err := Read([]byte(body)); !errors.As(err, &syntax) || !strings.Contains(syntax.What, "deep") {
			t.Errorf("%.20s: %v", body, err)
		}
	}
}

func TestReadChecksEveryByteOfAString(t *testing.T) {
	// Strings are gone over eight bytes at a time: a bad byte is found wherever in the eight it is.
	for at := range 40 {
		for _, bad := range []string{"\x00", "\x1f", "\n", "\"", `\x`} {
			text := strings.Repeat("~", at) + bad + strings.Repeat(" ", 40-at)
			if m, err := Read([]byte(`{"method":"` + text + `"}`)); err == nil {
				t.Errorf("%q at %d: %+v", bad, at, m)
			}
		}
		for _, weak := range []string{"\xff", "\x80", "\xed\xa0\x80"} { // Go's parser takes them
			body := []byte(`{"jsonrpc":"2.0","method":"` + strings.Repeat("~", at) + weak + strings.Repeat(" ", 40-at) + `"}`)
			if m, err := Read(body); err != nil || m.Strict || m.Method != "" {
				t.Errorf("%q at %d: %+v, %v", weak, at, m, err)
			}
			if _, err := ReadStrict(body); err == nil {
				t.Errorf("%q at %d is taken where a policy decides", weak, at)
			}
		}
		for _, good := range []string{"\x7f", "\ufffd", " ", "!", "#", "é", "\U0001f600", "[", "]"} {
			text := strings.Repeat("x", at) + good + strings.Repeat("y", 40-at)
			if m, err := Read([]byte(`{"method":"` + text + `"}`)); err != nil || m.Method != text {
				t.Errorf("%q at %d: %+v, %v", good, at, m, err)
			}
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

func TestReadBoundsABatch(t *testing.T) {
	for n, fits := range map[int]bool{maxBatch: true, maxBatch + 1: false} {
		body := []byte("[" + strings.Repeat(`{"method":"n"},`, n-1) + `{"method":"n"}]`)
		m, err := Read(body)
		if (err == nil) != fits || fits && len(m.Batch) != n {
			t.Errorf("%d messages: %d read, %v", n, len(m.Batch), err)
		}
	}
}
