package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
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
func (m *mcp) call(ctx context.Context, w *response, in message, caller Credentials, modern bool) {
	var a arguments
	_ = json.Unmarshal(in.Params.Arguments, &a) // arguments that are none are zero
	m.sandbox.ledger.execute(m.options.Name, a.Call, in.Params.Name, caller)
	done := true
	switch in.Params.Name {
	case "echo":
		m.result(w, in, modern, content(a.Text))
	case "delay":
		if done = pause(ctx, time.Duration(a.MS)*time.Millisecond); done {
			m.result(w, in, modern, content("done"))
		}
	case "size":
		m.result(w, in, modern, content(strings.Repeat("x", a.Bytes)))
	case "events":
		done = m.events(ctx, w, in, a, modern)
	case "elicit":
		done = m.elicit(ctx, w, in, modern)
	case "fail":
		m.result(w, in, modern, content("no")+`,"isError":true`)
	default:
		m.fail(w, in, http.StatusOK, -32602, "Unknown tool")
	}
	if !done {
		w.broken = true
		m.sandbox.ledger.cancel(m.options.Name, a.Call)
	}
}

func content(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string is always JSON
	}
	return `"content":[{"type":"text","text":` + string(quoted) + `}]`
}

// events streams notifications and then the result. It reports false when the client left.
func (m *mcp) events(ctx context.Context, w *response, in message, a arguments, modern bool) bool {
	w.stream()
	for n := range a.Count {
		if a.Cut > 0 && n == a.Cut {
			w.broken = true
			return true
		}
		w.event(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d,"message":%q}}`,
			in.ID, n+1, strings.Repeat("x", a.Bytes)))
		if !pause(ctx, time.Duration(a.Every)*time.Millisecond) {
			return false
		}
	}
	w.event(resultOf(in, modern, content(fmt.Sprintf("%d events", a.Count))))
	w.end()
	return true
}

// elicit asks the client on the stream of its call; the answer comes as a message of its own.
func (m *mcp) elicit(ctx context.Context, w *response, in message, modern bool) bool {
	reply := make(chan string, 1)
	m.mu.Lock()
	m.next++
	id := fmt.Sprintf(`"ask-%d"`, m.next)
	m.asked[id] = reply
	m.mu.Unlock()
	w.stream()
	w.event(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"elicitation/create","params":{"message":"Go on?","requestedSchema":{"type":"object","properties":{}}}}`, id))
	select {
	case answer := <-reply:
		w.event(resultOf(in, modern, content(answer)))
		w.end()
		return true
	case <-ctx.Done():
		return false
	}
}
