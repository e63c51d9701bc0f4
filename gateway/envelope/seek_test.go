package envelope

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestSeekIDFindsTheIDOfARequestWhereverItStands(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for body, want := range map[string]string{
		`{"jsonrpc":"2.0","id":9007199254740993,"method":"m"}`:                                    `9007199254740993`,
		`{"method":"tools/call","params":{"id":7,"a":[{"id":8}],"s":"\"id\":9,}"},"id":"a\"b\\"}`: `"a\"b\\"`,
		`{ "method" : "m" , "params" : { "x" : "` + long + `" } , "id" : -1.5e3 } `:               `-1.5e3`,
		`{"method":"m","x":"\\","id":1}`:                                                          `1`,
		`{"method":"m"}`:                                                                          ``,
		`{"method":"m","id":null}`:                                                                ``,
		`{"method":"m","id":{"a":1}}`:                                                             ``,
		`{"method":"m","id":1,"id":2}`:                                                            ``,
		`{"id":1,"result":{"method":"m"}}`:                                                        ``,
		`[{"method":"m","id":1}]`:                                                                 ``,
		`{"method":"m","id":1`:                                                                    ``,
		`{"method":"m","id":1}{"x":2}`:                                                            ``,
		`{"method":"m","id":"` + long + `"}`:                                                      ``,
		`"id"`:                                                                                    ``,
		``:                                                                                        ``,
		`{"method":"m","ID":1}`:                                                                   ``,
		`{"params":{"method":"m"},"id":1}`:                                                        ``,
		`{"method":"m","id":true}`:                                                                ``,
		fmt.Sprintf(`{"method":"m","params":%s1%s,"id":4}`, strings.Repeat("[", 500), strings.Repeat("]", 500)): `4`,
	} {
		if got := string(SeekID(strings.NewReader(body))); got != want {
			t.Errorf("%.80s: %q, want %q", body, got, want)
		}
	}
}

// FuzzSeekID holds what SeekID finds against what Read finds in the same body.
func FuzzSeekID(f *testing.F) {
	for _, seed := range []string{`{"jsonrpc":"2.0","id":1,"method":"m"}`, `{"method":"\"","params":[{}],"id":"x"}`, `{"id":1}`, `[]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		id := SeekID(strings.NewReader(body))
		if id == nil || !json.Valid([]byte(body)) {
			return // what is no JSON is refused whatever its id
		}
		if m, err := Read([]byte(body)); err == nil && m.Kind == Request && m.Strict && string(m.ID) != string(id) {
			t.Errorf("%s: found %s, is %s", body, id, m.ID)
		}
	})
}
