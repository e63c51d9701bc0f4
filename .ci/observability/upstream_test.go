package observability

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// An upstream is an MCP server that notes what reaches it. The name of the tool says what it does.
type upstream struct {
	*httptest.Server
	reached chan string   // the tool of each call that holds on
	release chan struct{} // lets one of them go on

	mu      sync.Mutex
	came    []arrival      // under mu
	refused map[string]int // how often, by what is refused once; under mu
}

// An arrival is what an upstream got of one request.
type arrival struct {
	method, tool  string
	header, meta  string // the traceparent of each
	authorization string
}

func newUpstream(t *testing.T) *upstream {
	u := &upstream{reached: make(chan string, 16), release: make(chan struct{}, 16), refused: map[string]int{}}
	u.Server = httptest.NewServer(http.HandlerFunc(u.serve))
	t.Cleanup(u.Close)
	return u
}

// received is what came for a tool.
func (u *upstream) received(tool string) []arrival {
	u.mu.Lock()
	defer u.mu.Unlock()
	var found []arrival
	for _, a := range u.came {
		if a.tool == tool {
			found = append(found, a)
		}
	}
	return found
}

// first reports whether it is asked for the first time.
func (u *upstream) first(what string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refused[what]++
	return u.refused[what] == 1
}

// A message is what the upstream reads of one.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		Meta      struct {
			Traceparent string `json:"traceparent"`
		} `json:"_meta"`
	} `json:"params"`
}

func (u *upstream) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var m message
	_ = json.Unmarshal(body, &m) // a batch is no such message, and has no id
	u.mu.Lock()
	u.came = append(u.came, arrival{
		method: m.Method, tool: m.Params.Name, header: r.Header.Get("Traceparent"), meta: m.Params.Meta.Traceparent,
		authorization: r.Header.Get("Authorization"),
	})
	u.mu.Unlock()
	switch {
	case r.Method == http.MethodGet:
		u.stream(w, r)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case strings.HasPrefix(string(body), "["):
		answer(w, `[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"result":{}}]`)
	case m.ID == nil:
		w.WriteHeader(http.StatusAccepted)
	case m.Method == "initialize":
		w.Header().Set("Mcp-Session-Id", "session-1")
		u.result(w, m, `"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"upstream","version":"1"}`)
	case m.Method == "tools/list" && u.first(m.Method):
		w.Header().Set("Retry-After", "1")
		http.Error(w, "later", http.StatusTooManyRequests)
	case m.Method == "tools/call":
		u.call(w, r, m)
	default:
		u.result(w, m, `"tools":[]`)
	}
}

func (u *upstream) call(w http.ResponseWriter, r *http.Request, m message) {
	// Servers say again what they were asked, when they refuse it too.
	said := quoted(m.Params.Arguments)
	echo := `"content":[{"type":"text","text":` + string(said) + `}]`
	switch m.Params.Name {
	case "hold":
		u.reached <- m.Params.Name
		select {
		case <-u.release:
			u.result(w, m, `"content":[]`)
		case <-r.Context().Done():
		}
	case "expired":
		if u.first("token") {
			w.Header().Set("X-Amzn-Errortype", "ExpiredTokenException")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"The security token included in the request is expired: `+sessionToken+`"}`)
			return
		}
		u.result(w, m, `"content":[]`)
	case "fail":
		u.result(w, m, echo+`,"isError":true`)
	case "wrong":
		answer(w, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":%s}}`, m.ID, said))
	case "page":
		http.Error(w, "<html>"+string(said), http.StatusInternalServerError)
	case "cut":
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\n\n")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	default:
		u.result(w, m, echo)
	}
}

// stream sends one event, and stays.
func (u *upstream) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func (u *upstream) result(w http.ResponseWriter, m message, fields string) {
	answer(w, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{%s}}`, m.ID, fields))
}

func answer(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, text)
}

// quoted is a text as a string in JSON.
func quoted(text []byte) []byte {
	b, _ := json.Marshal(string(text)) // a string is always written
	return b
}
