package policy

import (
	"fmt"
	"strings"
	"testing"

	"signet/gateway/envelope"
)

func choices() *Profiles {
	return NewProfiles("aws_profile", []string{"aws___*"}, []string{"dev", `pr"od`})
}

func TestProfilesAreAChoiceOfTwoOrMore(t *testing.T) {
	if NewProfiles("p", []string{"*"}, nil) != nil || NewProfiles("p", []string{"*"}, []string{"one"}) != nil {
		t.Error("there is a choice of one or none")
	}
}

func TestProfilesArePickedByAParameterThatIsTakenOut(t *testing.T) {
	for _, test := range []struct{ tool, arguments, profile, left, bad string }{
		{"aws___call", `{"n":9007199254740993,"aws_profile":"pr\"od" , "é" : 1.0}`, `pr"od`, `{"n":9007199254740993 , "é" : 1.0}`, ""},
		{"aws___call", `{"aws_profile":"pr\u0022od","x":1}`, `pr"od`, `{"x":1}`, ""},
		{"aws___call", `{"aws_pr\u006ffile":"pr\"od"}`, `pr"od`, `{}`, ""},
		{"aws___call", `{"x":1,"aws_profile":"dev"}`, "", `{"x":1}`, ""},
		{"aws___call", `{"x":1,"aws_profile":null}`, "", `{"x":1}`, ""},
		{"aws___call", `{"x":{"aws_profile":"other"}}`, "", `{"x":{"aws_profile":"other"}}`, ""},
		{"aws___call", `[{"aws_profile":"other"}]`, "", `[{"aws_profile":"other"}]`, ""},
		{"aws___call", `null`, "", `null`, ""},
		{"other", `{"aws_profile":"other"}`, "", `{"aws_profile":"other"}`, ""},
		{"aws___call", `{"aws_profile":"other"}`, "", "", `"other" is not in the list of profiles: dev, pr"od`},
		{"aws___call", `{"aws_profile":"DEV"}`, "", "", "is not in the list"},
		{"aws___call", `{"aws_profile":""}`, "", "", "is not in the list"},
		{"aws___call", `{"aws_profile":["dev"]}`, "", "", "is not in the list"},
		{"aws___call", `{"aws_profile":true}`, "", "", "is not in the list"},
		{"aws___call", `{"AWS_Profile":"dev"}`, "", "", "the parameter is aws_profile"},
		{"aws___call", `{"awſ_profile":"dev"}`, "", "", "the parameter is aws_profile"},
	} {
		body := []byte(`{"arguments": ` + test.arguments + `}`)
		profile, edits, err := choices().Pick(test.tool, envelope.ValueOf(body).Get("arguments"))
		if (err != nil) != (test.bad != "") || err != nil && !strings.Contains(err.Error(), test.bad) {
			t.Errorf("%s: %v", test.arguments, err)
		}
		want := `{"arguments": ` + test.left + `}`
		if got := string(envelope.Splice(nil, body, edits...)); err == nil && (profile != test.profile || got != want) {
			t.Errorf("%s: profile %q, left %s", test.arguments, profile, got)
		}
	}
}

func TestProfilesAreAParameterOfTheToolsThatHaveAnObjectForArguments(t *testing.T) {
	const own = `"aws_profile":{"type":"string","enum":["dev","pr\"od"],"description":"The AWS profile to call as. Default: dev."}`
	for schema, want := range map[string]string{
		`{"type":"object"}`: `{"type":"object","properties":{` + own + `}}`,
		`{}`:                `{"properties":{` + own + `}}`,
		`{ "properties" : { } ,"maximum":9007199254740993}`:                     `{ "properties" : {` + own + ` } ,"maximum":9007199254740993}`,
		`{"properties":{"x":{"type":"é\u00e9"} },"required":["x"]}`:             `{"properties":{"x":{"type":"é\u00e9"},` + own + ` },"required":["x"]}`,
		`{"properties":{"aws_profile":{"type":"number"},"x":{}},"required":[]}`: `{"properties":{` + own + `,"x":{}},"required":[]}`,
		`{"properties":null}`: `{"properties":null}`, `true`: `true`, `"x"`: `"x"`,
	} {
		list := func(name, schema string) string {
			return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":%q,"inputSchema":%s,"x":1}]}}`, name, schema)
		}
		for name, want := range map[string]string{"aws___call": want, "other": schema} {
			body := []byte(list(name, schema))
			lists, err := Lists(body)
			if err != nil {
				t.Fatal(err)
			}
			edits, shadowed := choices().Extend(nil, lists[0])
			if got := string(envelope.Splice(nil, body, edits...)); got != list(name, want) {
				t.Errorf("%s of %s became\n%s\nwant\n%s", schema, name, got, list(name, want))
			}
			if (len(shadowed) == 1) != (name == "aws___call" && strings.Contains(schema, `"aws_profile":`)) {
				t.Errorf("%s shadows %v", schema, shadowed)
			}
		}
	}
	lists, _ := Lists([]byte(`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"aws___call"}]}}`))
	if edits, _ := choices().Extend(nil, lists[0]); len(edits) != 0 {
		t.Errorf("a tool without a schema gained %v", edits)
	}
}
