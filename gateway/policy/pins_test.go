package policy

import (
	"strings"
	"testing"

	"signet/gateway/envelope"
)

func canonical(t *testing.T, text string) string {
	t.Helper()
	v, err := envelope.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(appendCanonical(nil, v))
}

// The first two are the examples of RFC 8785 (3.2.2, 3.2.3). Integers keep their digits, which is other than there.
func TestCanonicalIsOneSpellingOfAValue(t *testing.T) {
	for text, want := range map[string]string{
		`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`:                                        `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`: `{"\r":"Carriage Return","1":"One","` + "\u0080" + `":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","` + "\ufb33" + `":"Hebrew Letter Dalet With Dagesh"}`,
		` [ 1 , 1.0 , 10e-1 , -0 , -0.0 , 0e5 , 9007199254740993 , 1e400 , 123456789012345678901234567890 ] `:                                                                                                        `[1,1,1,0,0,0,9007199254740993,1e400,123456789012345678901234567890]`,
		`"\b\t\n\f\r\u0001\u007f"`:     `"\b\t\n\f\r\u0001` + "\x7f" + `"`,
		`{"b":{"d":[],"c":{}},"a":""}`: `{"a":"","b":{"c":{},"d":[]}}`,
	} {
		got := canonical(t, text)
		if got != want {
			t.Errorf("%s\nis %s\nwant %s", text, got, want)
		}
		if again := canonical(t, got); again != got {
			t.Errorf("%s became %s", got, again)
		}
	}
}

func FuzzCanonicalIsStable(f *testing.F) {
	f.Add(`{"b":[1.50,"\u00e9",null],"a":1e2}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := envelope.Parse([]byte(text))
		if err != nil {
			return
		}
		once := appendCanonical(nil, v)
		w, err := envelope.Parse(once)
		if err != nil {
			t.Fatalf("%q became %q: %v", text, once, err)
		}
		if twice := appendCanonical(nil, w); string(twice) != string(once) {
			t.Errorf("%q became %q and %q", text, once, twice)
		}
	})
}

const pinnedTool = `{"name":"x","title":"X","description":"does x","inputSchema":{"type":"object","maximum":9007199254740993},"outputSchema":{},"annotations":{"readOnlyHint":true},"_meta":{"n":1},"icons":[]}`

func TestDefinitionsAreTheSameHoweverTheyAreWritten(t *testing.T) {
	d, err := Define([]byte(pinnedTool))
	if err != nil || len(d.Hash) != 64 {
		t.Fatal(d, err)
	}
	for _, text := range []string{
		`{ "annotations": {"readOnlyHint" : true}, "outputSchema":{}, "inputSchema":{"maximum":9007199254740993,"t\u0079pe":"object"},"description":"does \u0078","title":"X","name":"x"}`,
		strings.Replace(pinnedTool, `"n":1`, `"n":2`, 1),
	} {
		if other, err := Define([]byte(text)); err != nil || other.Hash != d.Hash {
			t.Errorf("%s is another: %v", text, err)
		}
	}
	for what, text := range map[string]string{
		"description":  strings.Replace(pinnedTool, "does x", "does x\u200b", 1),
		"title":        strings.Replace(pinnedTool, `"title":"X",`, "", 1),
		"inputSchema":  strings.Replace(pinnedTool, "740993", "740992", 1),
		"outputSchema": strings.Replace(pinnedTool, `"outputSchema":{}`, `"outputSchema":null`, 1),
		"annotations":  strings.Replace(pinnedTool, "true", "false", 1),
	} {
		other, err := Define([]byte(text))
		if err != nil || other.Hash == d.Hash || strings.Join(ChangedFields(d.Text, other.Text), ",") != what {
			t.Errorf("%s: %v, %v", text, err, ChangedFields(d.Text, other.Text))
		}
	}
	if _, err := Define([]byte(strings.Replace(pinnedTool, `"type"`, `"type":"x","type"`, 1))); err == nil {
		t.Error("a definition that is read in two ways is one")
	}
}

func TestHiddenCharactersAreNamed(t *testing.T) {
	d, err := Define([]byte(`{"name":"x","description":"a\u200bb\udb40\udc41c\u202ed\ufeff\u2066\u200b\n\té","inputSchema":{"\u2060":"\u0007"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(Hidden(d.Text), " "); got != "U+200B U+E0041 U+202E U+FEFF U+2066 U+2060" {
		t.Errorf("hidden are %s", got)
	}
	if got := Hidden([]byte(`{"description":"plain, é, 日本, 😀"}`)); got != nil {
		t.Errorf("hidden are %s", got)
	}
}

func TestPinsTellToolsApart(t *testing.T) {
	d, _ := Define([]byte(pinnedTool))
	pins := NewPins(map[string]string{"x": d.Hash})
	lists, err := Lists([]byte(`{"jsonrpc":"2.0","id":1,"result":{"tools":[` + pinnedTool + `,{"name":"y"},{"name":"x"},{"name":"x","inputSchema":{"a":1,"a":2}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Drift{Accepted, Unaccepted, Changed, Changed} {
		if got := pins.Drift(lists[0].Tools[i]); got != want {
			t.Errorf("tool %d is %d, want %d", i, got, want)
		}
	}
}
