package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const modern = "2026-07-28"

// An upstream is a server of the Go SDK in both eras behind one URL, with tools that fail in every way an
// upstream can.
type upstream struct {
	*httptest.Server
	old, new http.Handler
	held     atomic.Int32  // calls of the tool hold under way
	release  chan struct{} // lets them go
	left     chan left
}

// A left is when a call's client was seen to have gone.
type left struct {
	call string
	at   time.Time
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{release: make(chan struct{}), left: make(chan left, 1000)}
	legacy, stateless := newServer(u), newServer(u)
	u.old = mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return legacy }, nil)
	u.new = mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return stateless },
		&mcp.StreamableHTTPOptions{Stateless: true, PropagateRequestCancellation: true})
	u.Server = httptest.NewServer(u)
	t.Cleanup(u.CloseClientConnections)
	return u
}

// address is where it listens.
func (u *upstream) address() string { return u.Listener.Addr().String() }

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var message struct {
		ID     json.RawMessage
		Method string
		Params struct {
			Name      string
			Arguments struct{ Call string }
		}
	}
	_ = json.Unmarshal(body, &message)
	if fault, ok := faults()[message.Params.Name]; ok && message.Method == "tools/call" {
		fault(u, w, r, message.ID, message.Params.Arguments.Call)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Header.Get("MCP-Protocol-Version") >= modern || message.Method == "server/discover" {
		u.new.ServeHTTP(w, r)
		return
	}
	u.old.ServeHTTP(w, r)
}

// newServer is an MCP server whose tools use everything that goes the other way.
func newServer(u *upstream) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "upstream", Version: "1"}, nil)
	object := map[string]any{"type": "object"}
	add := func(name string, h mcp.ToolHandler) {
		s.AddTool(&mcp.Tool{Name: name, InputSchema: object}, h)
	}
	for name := range faults() {
		add(name, nobody)
	}
	add("echo", func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) { return text("hello"), nil })
	add("progress", func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for i := range 5 {
			if err := r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
				ProgressToken: r.Params.GetProgressToken(), Progress: float64(i), Total: 5}); err != nil {
				return nil, err
			}
		}
		return text("done"), nil
	})
	add("log", func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return text("logged"), r.Session.Log(ctx, &mcp.LoggingMessageParams{Level: "info", Logger: "tool", Data: "a line"})
	})
	changes := 0
	add("change", func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		changes++
		add(fmt.Sprint("new-", changes), nobody)
		return text("changed"), nil
	})
	add("accept", elicit("your name?"))
	add("decline", elicit("your name? decline"))
	add("sample", sample)
	return s
}

func nobody(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return nil, errors.New("this tool is not called")
}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}

// declines reports whether a question is one to decline.
func declines(message string) bool { return strings.Contains(message, "decline") }

// stateless reports whether a request came without a session: what the server wants is then a result.
func stateless(r *mcp.CallToolRequest) bool {
	return r.Extra != nil && r.Extra.Header.Get("MCP-Protocol-Version") >= modern
}

// elicit asks the client's user something, in the way of its era, and answers with what was said.
func elicit(message string) mcp.ToolHandler {
	question := &mcp.ElicitParams{Message: message, RequestedSchema: map[string]any{
		"type": "object", "properties": map[string]any{"name": map[string]any{"type": "string"}}}}
	return func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		var said *mcp.ElicitResult
		if stateless(r) {
			answer, ok := r.Params.InputResponses["q"].(*mcp.ElicitResult)
			if !ok {
				return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"q": question}}, nil
			}
			said = answer
		} else {
			var err error
			if said, err = r.Session.Elicit(ctx, question); err != nil {
				return nil, err
			}
		}
		return text(fmt.Sprint(said.Action, said.Content["name"])), nil
	}
}

// sample asks the client's model something, in the way of its era.
func sample(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	question := &mcp.CreateMessageParams{MaxTokens: 10, Messages: []*mcp.SamplingMessage{
		{Role: "user", Content: &mcp.TextContent{Text: "the capital of France?"}}}}
	if stateless(r) {
		if answer, ok := r.Params.InputResponses["q"].(*mcp.CreateMessageWithToolsResult); ok {
			return &mcp.CallToolResult{Content: answer.Content}, nil
		}
		return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"q": question}}, nil
	}
	answer, err := r.Session.CreateMessage(ctx, question)
	if err != nil {
		return nil, err
	}
	return &mcp.CallToolResult{Content: []mcp.Content{answer.Content}}, nil
}
