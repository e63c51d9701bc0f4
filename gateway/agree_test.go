package gateway

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"signet/config"
	"signet/gateway/envelope"
)

func encoded(s string) string {
	return "=?base64?" + base64.StdEncoding.EncodeToString([]byte(s)) + "?="
}

func TestHeadersAgreeWithTheBodyOrAreNamed(t *testing.T) {
	const (
		modernCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"größe","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
		legacyCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}`
		modernList = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
		read       = `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///=?base64?x?="}}`
	)
	for name, test := range map[string]struct {
		body   string
		header [3]string // MCP-Protocol-Version, Mcp-Method, Mcp-Name; "-": none
		want   string
	}{
		"all right":               {modernCall, [3]string{"2026-07-28", "tools/call", encoded("größe")}, ""},
		"as it is":                {modernCall, [3]string{"2026-07-28", "tools/call", "größe"}, ""},
		"another version":         {modernCall, [3]string{"2025-11-25", "tools/call", encoded("größe")}, "MCP-Protocol-Version"},
		"no version":              {modernCall, [3]string{"-", "tools/call", encoded("größe")}, "MCP-Protocol-Version"},
		"no method":               {modernCall, [3]string{"2026-07-28", "-", encoded("größe")}, "Mcp-Method"},
		"another method":          {modernCall, [3]string{"2026-07-28", "tools/list", encoded("größe")}, "Mcp-Method"},
		"another case":            {modernCall, [3]string{"2026-07-28", "Tools/call", encoded("größe")}, "Mcp-Method"},
		"an encoded method":       {modernCall, [3]string{"2026-07-28", encoded("tools/call"), encoded("größe")}, "Mcp-Method"},
		"no name":                 {modernCall, [3]string{"2026-07-28", "tools/call", "-"}, "Mcp-Name"},
		"another name":            {modernCall, [3]string{"2026-07-28", "tools/call", encoded("delete")}, "Mcp-Name"},
		"no base64":               {modernCall, [3]string{"2026-07-28", "tools/call", "=?base64?%%?="}, "Mcp-Name"},
		"other marks":             {modernCall, [3]string{"2026-07-28", "tools/call", strings.Replace(encoded("größe"), "base64", "BASE64", 1)}, "Mcp-Name"},
		"no end mark":             {modernCall, [3]string{"2026-07-28", "tools/call", strings.TrimSuffix(encoded("größe"), "?=")}, "Mcp-Name"},
		"a list has no name":      {modernList, [3]string{"2026-07-28", "tools/list", "-"}, ""},
		"a list's name is no one": {modernList, [3]string{"2026-07-28", "tools/list", "x"}, ""},
		"legacy, nothing":         {legacyCall, [3]string{"2025-11-25", "-", "-"}, ""},
		"legacy, no version":      {legacyCall, [3]string{"-", "-", "-"}, ""},
		"legacy, another name":    {legacyCall, [3]string{"2025-11-25", "tools/call", "b"}, "Mcp-Name"},
		"legacy, another method":  {legacyCall, [3]string{"2025-11-25", "ping", "-"}, "Mcp-Method"},
		"a resource":              {read, [3]string{"-", "resources/read", "file:///=?base64?x?="}, ""},
		"initialize": {`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`,
			[3]string{"2025-06-18", "-", "-"}, ""},
		"a batch":          {`[` + legacyCall + `]`, [3]string{"-", "tools/call", "-"}, "Mcp-Method"},
		"a plain batch":    {`[` + legacyCall + `]`, [3]string{"-", "-", "-"}, ""},
		"an answer":        {`{"jsonrpc":"2.0","id":1,"result":{}}`, [3]string{"2025-11-25", "-", "-"}, ""},
		"an ambiguous one": {`{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}`, [3]string{"-", "c", "-"}, ""},
	} {
		m, err := envelope.Read([]byte(test.body))
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		for i, key := range []string{"MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"} {
			if test.header[i] != "-" {
				h.Set(key, test.header[i])
			}
		}
		if got, why := disagreement(h, m); got != test.want || (why == "") != (got == "") {
			t.Errorf("%s: %q %s, want %q", name, got, why, test.want)
		}
	}
	m, _ := envelope.Read([]byte(legacyCall))
	for _, name := range []string{"Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name"} {
		h := http.Header{name: {"tools/call", "a"}}
		if got, why := disagreement(h, m); !strings.EqualFold(got, name) || why != "stands twice" {
			t.Errorf("%s twice: %q %s", name, got, why)
		}
	}
}

// deciding makes a bench's route one that decides by what a message says.
func (b *bench) deciding() *bench {
	b.gateway.current.Load().routes["r"].decides = true
	return b
}

func TestHeadersThatDisagreeAreNotedAndWhereAPolicyDecidesRefused(t *testing.T) {
	for _, decides := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n, asked := newNetwork(), 0
			o, spans := traced()
			r := plain(upstream(t, n, "up.test", func(w http.ResponseWriter, r *http.Request) {
				asked++
				if r.Header.Get("Mcp-Name") != "other" {
					t.Error("a header was changed")
				}
				answering(callAnswer)(w, r)
			}))
			b := newBench(t, n, settings(map[string]config.Route{"r": r}), o)
			if decides {
				b.deciding()
			}
			request := request(t, "r", callBody)
			request.Header.Set("Mcp-Name", "other")
			response, body := b.do(t, request)
			synctest.Wait()
			all := spans.GetSpans()
			span := told(all[len(all)-1], "signet.header_mismatch", "error.type")
			if !decides && (response.StatusCode != 200 || body != callAnswer || asked != 1 || !strings.HasSuffix(span, "Unset signet.header_mismatch=Mcp-Name")) {
				t.Errorf("%d %s, %d asked, %s", response.StatusCode, body, asked, span)
			}
			refused := strings.Contains(body, `"code":-32020`) && strings.Contains(body, `"id":9007199254740993`) && response.StatusCode == 400
			if decides && (!refused || asked != 0 || !strings.HasSuffix(span, "Error signet.header_mismatch=Mcp-Name error.type=header_mismatch")) {
				t.Errorf("%d %s, %d asked, %s", response.StatusCode, body, asked, span)
			}
		})
	}
}

// What every parser has to read alike is refused where a policy decides, and only there.
func TestAMessageThatIsReadDifferentlyIsRefusedWhereAPolicyDecides(t *testing.T) {
	for name, body := range map[string]string{
		"a key twice":        `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}`,
		"an escaped key":     `{"jsonrpc":"2.0","id":1,"method":"ping","\u006dethod":"tools/call"}`,
		"another case":       `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}`,
		"twice in arguments": `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"p":1,"p":2}}}`,
		"not UTF-8":          "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"a\":\"\xff\"}}",
		"a mark":             "\xef\xbb\xbf" + `{"jsonrpc":"2.0","id":1,"method":"ping"}`,
		"too deep":           `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":` + strings.Repeat("[", 127) + strings.Repeat("]", 127) + `}}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			b := alone(t, func(w http.ResponseWriter, r *http.Request) { asked++; answering(callAnswer)(w, r) }, nil)
			if response, answer := b.post(t, "r", body); response.StatusCode != 200 || asked != 1 {
				t.Errorf("%s: a transparent route answers %d %s", name, response.StatusCode, answer)
			}
			response, answer := b.deciding().post(t, "r", body)
			if response.StatusCode != 400 || !strings.Contains(answer, `"code":-32600`) || strings.Contains(answer, `"id"`) || asked != 1 {
				t.Errorf("%s: %d %s, %d asked", name, response.StatusCode, answer, asked)
			}
		})
	}
}
