package policy

import (
	"encoding/json"
	"testing"
	"time"

	"signet/gateway/envelope"
)

// A lenient is a message as encoding/json reads it: keys in any case, the last of two, half a surrogate pair replaced.
type lenient struct {
	Method string
	Params struct{ Name string }
	Result struct{ Tools []struct{ Name string } }
}

// lenients are the messages of a body, as a server reads it that is not strict.
func lenients(body []byte) []lenient {
	var one lenient
	if json.Unmarshal(body, &one) == nil {
		return []lenient{one}
	}
	var many []lenient
	if json.Unmarshal(body, &many) == nil {
		return many
	}
	return nil
}

func FuzzNoSpellingCallsADeniedTool(f *testing.F) {
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get","name":"delete"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get","Name":"delete"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get"},"paramſ":{"name":"delete"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","m\u0065thod":"tools/call","params":{"name":"d\u0065lete"}}`,
		`[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete"}}]`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get","arguments":{"name":"delete"}}}`,
	} {
		f.Add([]byte(body))
	}
	tools := New(Rules{Deny: []string{"delete"}}, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := envelope.ReadStrict(body)
		if err != nil {
			return
		}
		for _, element := range append(m.Batch, m) {
			if element.Method == "tools/call" && tools.Call(element.Name, time.Time{}) != Permitted {
				return
			}
		}
		for _, read := range lenients(body) {
			if read.Method == "tools/call" && read.Params.Name == "delete" {
				t.Errorf("it passes, and calls a tool that is denied: %q", body)
			}
		}
	})
}

func FuzzNoSpellingListsADeniedTool(f *testing.F) {
	for _, tools := range []string{
		`{"name":"get"},{"name":"delete"}`, `{"name":"get","name":"delete"}`, `{"Name":"delete"}`, `{"name":"get","n\u0061me":"delete"}`, ` {"name" : "delete"} `,
	} {
		for _, body := range []string{
			`{"jsonrpc":"2.0","id":1,"result":{"tools":[` + tools + `],"nextCursor":"x"}}`,
			`[{"jsonrpc":"2.0","id":1,"result":{"tools":[` + tools + `]}},{"jsonrpc":"2.0","id":2,"result":{"tools":[],"Tools":[` + tools + `]}}]`,
			`{"jsonrpc":"2.0","id":1,"result":{},"Result":{"toolſ":[` + tools + `]}}`,
			`{"jsonrpc":"2.0","id":1,"error":{"code":1},"result":{"tools":[` + tools + `]}}`,
		} {
			f.Add([]byte(body))
		}
	}
	tools := New(Rules{Deny: []string{"delete"}}, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		lists, err := Lists(body)
		if err != nil {
			return
		}
		var edits []envelope.Edit
		for _, l := range lists {
			edits, _ = tools.Screen(edits, l)
		}
		passed := envelope.Splice(nil, body, edits...)
		if _, err := envelope.Read(passed); err != nil {
			t.Errorf("%q became %q: %v", body, passed, err)
		}
		for _, read := range lenients(passed) {
			for _, tool := range read.Result.Tools {
				if tool.Name == "delete" {
					t.Errorf("%q passes as %q", body, passed)
				}
			}
		}
	})
}
