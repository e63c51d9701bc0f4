package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// maxText is how many bytes an answer or an event may be asked to have.
	maxText = 64 << 20

	// maxEvents is how many events a stream may be asked to have.
	maxEvents = 1 << 20

	// maxMS is how long a tool may be asked to wait: a month.
	maxMS = 30 * 24 * 3600 * 1000
)

// arguments are those of all tools. Call is the id in the ledger.
type arguments struct {
	Call  string `json:"call"`
	Text  string `json:"text"`
	MS    int    `json:"ms"`
	Bytes int    `json:"bytes"`
	Count int    `json:"count"`
	Every int    `json:"every_ms"`
	Cut   int    `json:"cut"`
}

// sane reports whether the numbers are ones that the tools can serve.
func (a arguments) sane() bool {
	within := func(n, most int) bool { return n >= 0 && n <= most }
	return within(a.MS, maxMS) && within(a.Every, maxMS) && within(a.Bytes, maxText) && within(a.Count, maxEvents) && a.Cut >= 0
}

// toolList is the tools as tools/list has them.
func toolList() string {
	var tools []string
	for _, tool := range [...][2]string{
		{"echo", "Answers with text."},
		{"delay", "Answers after ms."},
		{"size", "Answers with so many bytes."},
		{"events", "Streams count events of bytes, one every every_ms; cut ends the connection after that many."},
		{"elicit", "Asks the client, and answers with its answer."},
		{"fail", "Answers with an error of its own."},
	} {
		tools = append(tools, fmt.Sprintf(`{"name":%q,"description":%q,"inputSchema":{"type":"object"}}`, tool[0], tool[1]))
	}
	return strings.Join(tools, ",")
}

// call runs a tool.
func (m *mcp) call(ctx context.Context, w *response, in message, caller Credentials) {
	var a arguments
	_ = json.Unmarshal(in.Params.Arguments, &a) // arguments that are none are zero
	if !a.sane() {
		m.fail(w, in, fault{http.StatusOK, -32602, "Arguments out of range", ""})
		return
	}
	if in.Params.Name == "elicit" && in.modern && in.Params.Replies == nil {
		m.require(w, in) // nothing runs before the answer
		return
	}
	m.sandbox.ledger.execute(m.options.Name, a.Call, in.Params.Name, caller)
	if !m.run(ctx, w, in, a) {
		w.broken = true
		m.sandbox.ledger.cancel(m.options.Name, a.Call)
	}
}

// run reports false when the client left before the tool was done.
func (m *mcp) run(ctx context.Context, w *response, in message, a arguments) bool {
	switch in.Params.Name {
	case "echo":
		m.result(w, in, content(a.Text))
	case "delay":
		if !pause(ctx, time.Duration(a.MS)*time.Millisecond) {
			return false
		}
		m.result(w, in, content("done"))
	case "size":
		m.result(w, in, content(strings.Repeat("x", a.Bytes)))
	case "events":
		return m.events(ctx, w, in, a)
	case "elicit":
		if !in.modern {
			return m.ask(ctx, w, in)
		}
		m.required(w, in)
	case "fail":
		m.result(w, in, content("no")+`,"isError":true`)
	default:
		m.fail(w, in, fault{http.StatusOK, -32602, "Unknown tool", ""})
	}
	return true
}

func content(text string) string { return `"content":[{"type":"text","text":` + quoted(text) + `}]` }

// events streams notifications and then the result. It reports false when the client left.
func (m *mcp) events(ctx context.Context, w *response, in message, a arguments) bool {
	token := in.Params.Meta.Progress
	if len(token) == 0 {
		token = in.ID
	}
	text := strings.Repeat("x", a.Bytes)
	w.stream()
	for n := range a.Count {
		if a.Cut > 0 && n == a.Cut {
			break
		}
		w.event(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d,"message":"%s"}}`, token, n+1, text))
		if !pause(ctx, time.Duration(a.Every)*time.Millisecond) {
			return false
		}
	}
	if a.Cut > 0 && a.Cut <= a.Count {
		w.broken = true // the connection ends here, in the middle of the answer
		return true
	}
	w.event(resultOf(in, content(fmt.Sprintf("%d events", a.Count))))
	w.end()
	return true
}
