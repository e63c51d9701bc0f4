package policy

import (
	"strings"
	"testing"

	"signet/gateway/envelope"
)

// screen is body without the tools that rules refuse.
func screen(t *testing.T, rules Rules, body string) (string, []List) {
	t.Helper()
	lists, err := Lists([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	tools := New(rules, &Hints{})
	var edits []envelope.Edit
	for _, l := range lists {
		edits, _ = tools.Screen(edits, l)
	}
	return string(envelope.Splice(nil, []byte(body), edits...)), lists
}

func TestListsKeepEveryOtherByte(t *testing.T) {
	const tail = `,"nextCursor":"p\u0032","_meta":{"n":9007199254740993,"é":1e400}}}`
	head := `{ "jsonrpc" : "2.0", "id":9007199254740993,"result":{"x":[ ],"tools": [`
	keep := ` {"name":"keep_1","inputSchema":{"type":"object","maximum":9007199254740993}}`
	also := "\n{\"na\\u006de\":\"keep_2\",\"x\":1.0}"
	gone := `{"description":"},{\"name\":\"keep_9\"","name":"gone"}`
	for _, test := range [][2]string{
		{keep + "," + also, keep + "," + also},
		{gone, ""},
		{gone + " , " + gone, ""},
		{gone + "," + keep, strings.TrimLeft(keep, " ")},
		{keep + "," + gone, keep},
		{keep + " ," + gone + ", " + gone + "," + also, keep + "," + also},
		{gone + "," + keep + "," + gone + "," + also + "," + gone, strings.TrimLeft(keep, " ") + "," + also},
		{"", ""},
		{" ", " "},
	} {
		got, lists := screen(t, Rules{Allow: []string{"keep_?"}}, head+test[0]+"]"+tail)
		if want := head + test[1] + "]" + tail; strings.TrimSpace(got) != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if len(lists) != 1 || string(lists[0].Cursor) != `"p\u0032"` {
			t.Errorf("lists are %v", lists)
		}
		if _, err := envelope.Read([]byte(got)); err != nil {
			t.Errorf("%s: %v", got, err)
		}
	}
}

// A tool that parsers read differently is one that no rule can permit.
func TestListsDropToolsThatAreReadInTwoWays(t *testing.T) {
	for _, tool := range []string{
		`{"name":"keep","name":"gone"}`, `{"name":"keep","n\u0061me":"gone"}`, `{"name":"keep","Name":"gone"}`,
		`{"Name":"keep"}`, `{"name":1}`, `{}`, `7`, `"keep"`, `["keep"]`, `null`, `{"name":"keep "}`, `{"name":"keep\u200b"}`,
		`{"name":"keep","annotations":{"readOnlyHint":false},"annotations":{"readOnlyHint":true}}`,
		`{"name":"keep","annotations":{"readOnlyHint":false,"readOnlyHint":true}}`,
		`{"name":"keep","annotations":{"readOnlyhint":true}}`, `{"name":"keep","annotationſ":{"readOnlyHint":true}}`,
	} {
		body := `{"jsonrpc":"2.0","id":1,"result":{"tools":[` + tool + `]}}`
		if got, _ := screen(t, Rules{Allow: []string{"keep*", "gone*"}}, body); !strings.Contains(got, `"tools":[]`) {
			t.Errorf("%s passed: %s", tool, got)
		}
	}
}

func TestListsBelieveOnlyAHintThatIsTrue(t *testing.T) {
	for tool, want := range map[string]bool{
		`{"name":"x","annotations":{"readOnlyHint":true}}`:                        true,
		`{"name":"x","annotations":{"read\u004fnlyHint":true}}`:                   true,
		`{"name":"x","annotations":{"readOnlyHint":true,"destructiveHint":true}}`: true,
		`{"name":"x","annotations":{"readOnlyHint":false}}`:                       false,
		`{"name":"x","annotations":{"readOnlyHint":"true"}}`:                      false,
		`{"name":"x","annotations":{"readOnlyHint":1}}`:                           false,
		`{"name":"x","annotations":{"readOnlyHint":null}}`:                        false,
		`{"name":"x","annotations":{}}`:                                           false,
		`{"name":"x","annotations":null}`:                                         false,
		`{"name":"x","annotations":[{"readOnlyHint":true}]}`:                      false,
		`{"name":"x","readOnlyHint":true}`:                                        false,
		`{"name":"x"}`:                                                            false,
	} {
		got, lists := screen(t, Rules{ReadOnly: true}, `{"jsonrpc":"2.0","id":1,"result":{"tools":[`+tool+`]}}`)
		if strings.Contains(got, `"tools":[]`) == want || lists[0].Tools[0].ReadOnly != want {
			t.Errorf("%s: %s", tool, got)
		}
	}
}

func TestListsAreFoundInBatches(t *testing.T) {
	body := `[{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"},{"name":"b"}]}},{"jsonrpc":"2.0","method":"x"},` +
		`{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"b"}],"nextCursor":"n"}}]`
	want := `[{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"}]}},{"jsonrpc":"2.0","method":"x"},` +
		`{"jsonrpc":"2.0","id":2,"result":{"tools":[],"nextCursor":"n"}}]`
	if got, _ := screen(t, Rules{Deny: []string{"b"}}, body); got != want {
		t.Errorf("got %s", got)
	}
}

func TestListsRefuseWhatParsersReadDifferently(t *testing.T) {
	const list = `{"tools":[{"name":"a"}]}`
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":1,"result":` + list + `,"result":{}}`,
		`{"jsonrpc":"2.0","id":1,"result":{},"Result":` + list + `}`,
		`{"jsonrpc":"2.0","id":1,"error":{"code":1},"RESULT":` + list + `}`,
		`{"jsonrpc":"2.0","id":1,"reſult":` + list + `,"result":{}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"tools":[],"tools":[{"name":"a"}]}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"tools":[],"t\u006fols":[{"name":"a"}]}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"tools":[],"Tools":[{"name":"a"}]}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"toolſ":[{"name":"a"}]}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"tools":[],"nextCursor":"a","nextcursor":"b"}}`,
		"\xef\xbb\xbf" + `{"jsonrpc":"2.0","id":1,"result":` + list + `}`,
		`{"jsonrpc":"2.0","id":1,"result":` + list + `} {}`,
		`{"jsonrpc":"2.0","id":1,"result":{"x":"` + "\xff" + `","tools":[{"name":"a"}]}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `,"tools":[{"name":"a"}]}}`,
		`[` + list + `]`, list, `nothing`, ``,
	} {
		if lists, err := Lists([]byte(body)); err == nil {
			t.Errorf("%s: %v", body, lists)
		}
	}
}
