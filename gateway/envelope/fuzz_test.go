package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzRead holds the scanner against encoding/json: they agree on what is JSON, a byte order mark aside, and on
// what it says.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"a","_meta":{"traceparent":"x"}}}`,
		`[{"id":1,"method":"ping"}]`, `{"id":"\u00e9\\","result":{"isError":true}}`, `{"error":{"code":-1}}`, `[]`, `{"a":[1,-0.5e+7,null]}`,
		"\xef\xbb\xbf{}", "{\"a\":\"\xff\"}", `{"METHOD":1}`, `{"id":1,"method":"resources/read","params":{"uri":"\ud83d\ude00"}}`,
		`{"id":1,"method":"prompts/get","params":{"n\u0061me":"\ud800","param\u017f":1}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := Read(body)
		text := bytes.TrimPrefix(body, []byte(byteOrderMark))
		var syntax *SyntaxError
		if noJSON := errors.As(err, &syntax); noJSON == json.Valid(text) {
			t.Fatalf("read as %+v, %v; valid: %v", m, err, !noJSON)
		}
		strict, refused := ReadStrict(body)
		if refused == nil && (err != nil || !reflect.DeepEqual(m, strict)) {
			t.Fatalf("read as %+v, %v; where a policy decides, as %+v", m, err, strict)
		}
		if refused == nil {
			decides(t, body)
		}
		if err == nil && m.Kind != Batch {
			agrees(t, text, m, len(text) < len(body))
		}
	})
}

// decides holds body, which was taken where a policy decides, against what is promised of it.
func decides(t *testing.T, body []byte) {
	t.Helper()
	if !json.Valid(body) || !utf8.Valid(body) {
		t.Fatal("taken although it is no JSON, or no UTF-8")
	}
	tokens := json.NewDecoder(bytes.NewReader(body))
	tokens.UseNumber() // without, one that no double holds is an error at each token, and More goes on for ever
	if twice(tokens) {
		t.Fatal("taken with a key that stands twice")
	}
}

// twice reports whether a key stands twice in an object of the value that comes, or in one inside it.
func twice(tokens *json.Decoder) bool {
	first, _ := tokens.Token()
	if first != json.Delim('{') && first != json.Delim('[') {
		return false
	}
	keys := map[any]bool{}
	for tokens.More() {
		if first == json.Delim('{') {
			key, _ := tokens.Token()
			if keys[key] {
				return true
			}
			keys[key] = true
		}
		if twice(tokens) {
			return true
		}
	}
	_, _ = tokens.Token()
	return false
}

// agrees holds what was read of one message against what encoding/json reads.
func agrees(t *testing.T, body []byte, m Message, marked bool) {
	t.Helper()
	message, sound := members(t, body, "jsonrpc", "id", "method", "params", "result", "error")
	params, paramsSound := members(t, message["params"], "name", "uri", "_meta", "protocolVersion", "arguments")
	_, metaSound := members(t, params["_meta"], "io.modelcontextprotocol/protocolVersion", "traceparent", "tracestate")
	_, resultSound := members(t, message["result"], "isError")
	_, errorSound := members(t, message["error"], "code")
	excused := marked || !utf8.Valid(body) || bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) > strictDepth ||
		strings.Contains(strings.ToLower(string(body)), `\ud`)
	if whole := sound && paramsSound && metaSound && resultSound && errorSound; m.Strict && !whole || !m.Strict && whole && !excused {
		t.Fatalf("strict: %v, keys are sound: %v", m.Strict, whole)
	}
	if !m.Strict {
		if m.Method+m.Name+m.Version+m.Traceparent+m.Tracestate != "" {
			t.Fatalf("guessed: %+v", m)
		}
		return
	}
	if !bytes.Equal(m.ID, message["id"]) {
		t.Fatalf("id %s, want %s", m.ID, message["id"])
	}
	if want := word(message["method"]); m.Method != want && m.Kind != Response {
		t.Fatalf("method %q, want %q", m.Method, want)
	}
	want := ""
	switch m.Method {
	case "tools/call", "prompts/get":
		want = word(params["name"])
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		want = word(params["uri"])
	}
	if m.Name != want {
		t.Fatalf("name %q, want %q", m.Name, want)
	}
}

// members is what encoding/json finds in an object, each key's last value; sound is false where one of names
// stands there twice, or in another case. Anything but an object has no members.
func members(t *testing.T, object []byte, names ...string) (found map[string]json.RawMessage, sound bool) {
	t.Helper()
	found, sound = make(map[string]json.RawMessage), true
	tokens := json.NewDecoder(bytes.NewReader(object))
	if first, err := tokens.Token(); err != nil || first != json.Delim('{') {
		return found, true
	}
	for tokens.More() {
		key, err := tokens.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := tokens.Decode(&value); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if _, twice := found[name]; strings.EqualFold(key.(string), name) && (twice || key != name) {
				sound = false
			}
		}
		found[key.(string)] = value
	}
	return found, sound
}

// word is the string that a value is, if it is one.
func word(value []byte) (s string) {
	if len(value) > 0 && value[0] == '"' {
		_ = json.Unmarshal(value, &s)
	}
	return s
}

func TestReadAllocatesForNamesAlone(t *testing.T) {
	for body, most := range map[string]float64{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"q":[1,{"a":"\u00e9"}]}}}`:                            2,
		`{"jsonrpc":"2.0","method":"n","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"v","traceparent":"p"}}}`:                       3,
		`{"jsonrpc":"2.0","\u0069d":1,"result":{"content":[{"type":"text","text":"x"}],"isError":true,"a long key that is none of ours at all":1}}`: 0,
		`{"id":1,"method":"x","params":{"_meta":{"\u0069o.modelcontextprotocol/protocolVersion":1,"IO.MODELCONTEXTPROTOCOL/PROTOCOLVERSION":"v"}}}`: 0,
	} {
		text := []byte(body)
		if _, err := Read(text); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = Read(text) }); n > most {
			t.Errorf("%s: %v allocations, want at most %v", body, n, most)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for name, size := range map[string]int{"0.5KiB": 400, "64KiB": 64 << 10} {
		body := []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"q":"` + strings.Repeat("x", size) + `"}}}`)
		b.Run(name, func(b *testing.B) { benchmark(b, body) })
	}
	// Many short texts, escapes and other alphabets: what is slow to go over.
	element := `{"id":12.5e3,"ok":true,"text":"line\nfeed \"quoted\" \u00e9","名":"日本語 Ελληνικά","none":null},`
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":[` + strings.Repeat(element, 600) + `0]}}`
	b.Run("64KiBofStructure", func(b *testing.B) { benchmark(b, []byte(body)) })
}

func benchmark(b *testing.B, body []byte) {
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(body); err != nil {
			b.Fatal(err)
		}
	}
}
