package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"signet/config"
)

// guarding is a bench whose route "r" denies tools, and a count of the requests that reached its upstream.
func guarding(t *testing.T, tools config.Tools, h http.HandlerFunc) (*bench, *atomic.Int64) {
	t.Helper()
	reached := new(atomic.Int64)
	b := alone(t, func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		h(w, r)
	}, func(r *config.Route) { r.Tools = tools })
	return b, reached
}

func calling(tool string) string {
	return `{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"` + tool + `"}}`
}

func TestToolsThatAreDeniedNeverReachTheUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, reached := guarding(t, config.Tools{Allow: []string{"get_*", "x"}, Deny: []string{"*secret*"}}, answering(callAnswer))
		for _, body := range []string{
			calling("delete"), calling("get_secrets"), calling("GET_SECRETS"), calling(`get_\u0073ecrets`), calling(`g\u0065t_secret`),
			calling("x "), calling(`x\u200b`), calling(`x\u0000`), calling(""),
			`[` + calling("get_1") + `,` + strings.Replace(calling("delete"), "993", "994", 1) + `]`,
			`[{"jsonrpc":"2.0","method":"notifications/x"},` + calling("delete") + `]`,
			`{"id":9007199254740993,"params":{"name":"delete","arguments":{"name":"get_1"}},"method":"tools\/call","jsonrpc":"2.0"}`,
			strings.Replace(calling("delete"), "tools/call", "Tools/Call", 1), strings.Replace(calling("delete"), "tools/call", "tools/call/", 1),
			strings.Replace(calling("get_1"), "tools/call", `\ttools/call`, 1),
			`{"jsonrpc":"2.0","id":9007199254740993,"m\u0065thod":"t\u006fols/call","p\u0061rams":{"n\u0061me":"delete"}}`,
		} {
			response, answer := b.post(t, "r", body)
			if response.StatusCode != http.StatusOK || !strings.Contains(answer, `"code":-31030`) || !strings.Contains(answer, `"id":9007199254740993`) ||
				!strings.Contains(answer, `"reason":"tool_policy"`) || !strings.Contains(answer, `"outcome":"not_sent"`) {
				t.Errorf("%s: %d %s", body, response.StatusCode, answer)
			}
		}
		if n := reached.Load(); n != 0 {
			t.Fatalf("%d requests reached the upstream", n)
		}
		if _, answer := b.post(t, "r", calling(`g\u0065t_1`)); answer != callAnswer || reached.Load() != 1 {
			t.Errorf("a tool that is allowed: %s", answer)
		}
	})
}

// A call that nobody waits for is executed all the same.
func TestToolsThatAreDeniedAreNoNotificationsEither(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, reached := guarding(t, config.Tools{Deny: []string{"delete"}}, answering(callAnswer))
		body := `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete"}}`
		for _, body := range []string{body, `[` + body + `]`} {
			if response, answer := b.post(t, "r", body); response.StatusCode != http.StatusAccepted || answer != "" || reached.Load() != 0 {
				t.Errorf("%s: %d %q", body, response.StatusCode, answer)
			}
		}
	})
}

func TestToolsAreNotDecidedOnMessagesThatParsersReadDifferently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, reached := guarding(t, config.Tools{Deny: []string{"delete"}}, answering(callAnswer))
		for _, body := range []string{
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","name":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","n\u0061me":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","Name":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"},"params":{"name":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"},"Params":{"name":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"},"paramſ":{"name":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"ping","METHOD":"tools/call","params":{"name":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"METHOD":"tools/call","params":{"name":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["delete"]}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["delete"]}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x\ud800"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","result":{},"params":{"name":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"ping"} {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\x00",
			"\xef\xbb\xbf" + `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x` + "\xff" + `"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"ping","x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`,
			`[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"x","NAME":"delete"}}]`,
			`[[` + calling("delete") + `]]`, ``, `"tools/call"`,
		} {
			response, answer := b.post(t, "r", body)
			if response.StatusCode != http.StatusBadRequest || !strings.Contains(answer, `"error"`) || reached.Load() != 0 {
				t.Fatalf("%s: %d %s, %d reached the upstream", body, response.StatusCode, answer, reached.Load())
			}
		}
	})
}

const (
	aList   = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get_1"}, {"name":"delete","n":9007199254740993},{"name":"get_2","n":9007199254740993}],"nextCursor":"é\u0031","x":1e400}}`
	itsRest = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get_1"},{"name":"get_2","n":9007199254740993}],"nextCursor":"é\u0031","x":1e400}}`
	askList = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
)

func TestToolsAreTakenOutOfListsAndEveryOtherByteStays(t *testing.T) {
	comments := ": a comment\r\n\r\nid: 7\nretry: 10\n\n"
	for name, test := range map[string]struct{ kind, answer, want string }{
		"JSON":                   {"application/json", aList, itsRest},
		"JSON with a charset":    {"application/json; charset=utf-8", " " + aList + "\n", " " + itsRest + "\n"},
		"nothing to take out":    {"application/json", itsRest, itsRest},
		"an empty page":          {"application/json", `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete"}],"nextCursor":"n"}}`, `{"jsonrpc":"2.0","id":1,"result":{"tools":[],"nextCursor":"n"}}`},
		"no tools":               {"application/json", callAnswer, callAnswer},
		"an event":               {"text/event-stream", comments + "event: message\nid: 3\ndata: " + aList + "\n\n", comments + "event: message\nid: 3\ndata: " + itsRest + "\n\n"},
		"an event of no type":    {"text/event-stream", "data:" + aList + "\r\n\r\n", "data:" + itsRest + "\r\n\r\n"},
		"an event of any type":   {"text/event-stream", "event: ping\ndata: " + aList + "\n\n", "event: ping\ndata: " + itsRest + "\n\n"},
		"after a notification":   {"text/event-stream", event(progress) + event(aList), event(progress) + event(itsRest)},
		"an event of many lines": {"text/event-stream", "data: " + strings.ReplaceAll(aList, ",", ",\ndata: ") + "\n\n", "data: " + strings.ReplaceAll(strings.Replace(itsRest, `{"name":"get_1"},{`, `{"name":"get_1"}#{`, 1), ",", ",\ndata: ") + "\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, _ := guarding(t, config.Tools{Deny: []string{"delete"}}, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", test.kind)
					_, _ = io.WriteString(w, test.answer)
				})
				_, answer := b.post(t, "r", askList)
				if want := strings.Replace(test.want, `#{`, ",\ndata: {", 1); answer != want {
					t.Errorf("the client got\n%q\nwant\n%q", answer, want)
				}
			})
		})
	}
}

// A client resumes by GET, and so may get there what it asked for before.
func TestToolsAreTakenOutOfWhateverAnswersAList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kind, status, answer := "text/event-stream", 200, event(aList)
		b, _ := guarding(t, config.Tools{Deny: []string{"delete"}}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, answer)
		})
		get := func() string {
			r := request(t, "r", "")
			r.Method, r.Body, r.ContentLength = http.MethodGet, nil, 0
			_, body := b.do(t, r)
			return body
		}
		if got := get(); got != event(itsRest) {
			t.Errorf("by GET: %s", got)
		}
		answer = event("["+aList+"]") + event("{") + event("\xff") + event(aList)
		if got := get(); got != event("["+itsRest+"]")+event(itsRest) {
			t.Errorf("by GET, with events that cannot be read: %s", got)
		}
		kind, answer = "application/json", "["+aList+","+aList+"]"
		if _, got := b.post(t, "r", "["+askList+`,{"jsonrpc":"2.0","id":2,"method":"tools/list"}]`); got != "["+itsRest+","+itsRest+"]" {
			t.Errorf("in a batch: %s", got)
		}
		kind, answer = "text/event-stream", event("["+aList+"]")
		if _, got := b.post(t, "r", "["+askList+"]"); got != event("["+itsRest+"]") {
			t.Errorf("in a batch, by a stream: %s", got)
		}
		kind, answer = "application/json", aList
		if _, got := b.post(t, "r", strings.Replace(askList, "tools/list", "TOOLS/List ", 1)); got != itsRest {
			t.Errorf("by a server that folds the case of methods: %s", got)
		}
		kind, answer = "application/json", strings.Replace(aList, `"result"`, `"error":{"code":1},"result"`, 1)
		for _, status = range []int{200, 400, 401, 404, 405, 500} {
			if _, got := b.post(t, "r", askList); strings.Contains(got, "delete") {
				t.Errorf("with status %d: %s", status, got)
			}
		}
		status, answer = 404, aList
		r := request(t, "r", askList)
		r.Header.Set("Mcp-Session-Id", "s")
		if _, got := b.do(t, r); got != itsRest {
			t.Errorf("with the word that a session is gone: %s", got)
		}
	})
}

func TestListsThatCannotBeReadStrictlyAreNotPassedOn(t *testing.T) {
	long := `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete","x":"` + strings.Repeat("x", maxList) + `"}]}}`
	for name, answer := range map[string]string{
		"a key twice":       strings.Replace(aList, `"tools"`, `"tools":[],"tools"`, 1),
		"an escaped key":    strings.Replace(aList, `"tools"`, `"tools":[],"\u0074ools"`, 1),
		"another case":      strings.Replace(aList, `"tools"`, `"Tools"`, 1),
		"a folded letter":   strings.Replace(aList, `"tools"`, `"toolſ"`, 1),
		"two results":       strings.Replace(aList, `"result"`, `"result":{},"result"`, 1),
		"a byte order mark": byteOrderMark + aList,
		"a second message":  aList + aList,
		"not UTF-8":         strings.Replace(aList, "é", "\xe9", 1),
		"too long":          long,
	} {
		for _, kind := range []string{"application/json", "text/event-stream"} {
			t.Run(name+" as "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b, _ := guarding(t, config.Tools{Deny: []string{"delete"}}, func(w http.ResponseWriter, _ *http.Request) {
						w.Header().Set("Content-Type", kind)
						if kind == "text/event-stream" {
							answer = event(answer)
						}
						_, _ = io.WriteString(w, answer)
					})
					_, got := b.post(t, "r", askList)
					if name == "too long" && !strings.Contains(got, `"code":-31025`) || strings.Contains(got, "get_1") || !strings.Contains(got, `"error":{"code":-310`) || !strings.Contains(got, `"id":1`) {
						t.Errorf("the client got %.300s", got)
					}
				})
			})
		}
	}
}

func TestToolsOfAReloadedRouteAreThoseOfTheNewConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := guarding(t, config.Tools{}, answering(aList))
		cfg := b.gateway.current.Load().config
		for _, step := range []struct {
			tools config.Tools
			list  string
			calls bool
		}{
			{config.Tools{Deny: []string{"delete"}}, itsRest, false},
			{config.Tools{}, aList, true},
			{config.Tools{Allow: []string{"get_?"}}, itsRest, false},
		} {
			changes, err := b.gateway.Reload(t.Context(), edited(cfg, "r", func(r *config.Route) { r.Tools = step.tools }), nil)
			if err != nil || fmt.Sprint(changes.Parts["r"]) != "[tools]" {
				t.Fatalf("%v, %v", changes.Parts, err)
			}
			if _, got := b.post(t, "r", askList); got != step.list {
				t.Errorf("%+v lists %s", step.tools, got)
			}
			if _, got := b.post(t, "r", calling("delete")); (got == aList) != step.calls {
				t.Errorf("%+v answers a call with %s", step.tools, got)
			}
		}
	})
}

// A header says what the body says, or the call is refused; and it is the body that decides.
func TestToolsAreDecidedOnTheBodyAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, reached := guarding(t, config.Tools{Deny: []string{"delete"}}, answering(callAnswer))
		for _, test := range []struct{ body, method, name, want string }{
			{calling("delete"), "tools/call", "delete", "-31030"},
			{calling("delete"), "tools/call", "get_1", "-32020"},
			{calling("get_1"), "tools/call", "delete", "-32020"},
			{calling("get_1"), "tools/call", "=?base64?ZGVsZXRl?=", "-32020"},
			{calling("delete"), "tools/list", "", "-32020"},
			{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, "tools/call", "delete", "-32020"},
		} {
			r := request(t, "r", test.body)
			r.Header.Set("MCP-Protocol-Version", "2025-11-25")
			r.Header.Set("Mcp-Method", test.method)
			if test.name != "" {
				r.Header.Set("Mcp-Name", test.name)
			}
			if _, answer := b.do(t, r); !strings.Contains(answer, test.want) || reached.Load() != 0 {
				t.Errorf("%s %s with %s: %s", test.method, test.name, test.body, answer)
			}
		}
	})
}
