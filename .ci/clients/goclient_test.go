package clients

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/oauth2"
)

// A goClient is the Go SDK, in this process.
type goClient struct {
	version string // of the protocol; empty: the newest
	asked   atomic.Int32

	mu       sync.Mutex
	sessions map[string]*goSession      // under mu
	calls    map[int]context.CancelFunc // under mu
}

type goSession struct {
	*mcp.ClientSession
	progress, logs, changes atomic.Int32
}

func newGoClient(version string) *goClient {
	return &goClient{version: version, sessions: map[string]*goSession{}, calls: map[int]context.CancelFunc{}}
}

// TokenSource and Authorize are an OAuth handler that counts how often it is asked to log in.
func (g *goClient) TokenSource(context.Context) (oauth2.TokenSource, error) { return nil, nil }

func (g *goClient) Authorize(_ context.Context, _ *http.Request, r *http.Response) error {
	_ = r.Body.Close()
	g.asked.Add(1)
	return errors.New("nobody logs in here")
}

func (g *goClient) do(c command) <-chan reply {
	answer := make(chan reply, 1)
	go func() {
		began := time.Now()
		r, err := g.carry(c)
		r.ID, r.Ms = c.ID, float64(time.Since(began).Microseconds())/1000
		if err != nil {
			r.Error = asFault(err)
		}
		answer <- r
	}()
	return answer
}

// asFault is an error as a program of the Go SDK can tell it.
func asFault(err error) *fault {
	f := &fault{Message: err.Error()}
	var wire *jsonrpc.Error
	if errors.As(err, &wire) {
		f.Code, f.Message = int(wire.Code), wire.Message
		_ = json.Unmarshal(wire.Data, &f.Data)
	}
	return f
}

func (g *goClient) carry(c command) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	g.mu.Lock()
	s := g.sessions[c.Session]
	g.mu.Unlock()
	if s == nil && c.Op != "open" && c.Op != "abort" {
		return reply{}, errors.New("no such session")
	}
	switch c.Op {
	case "open":
		return reply{}, g.open(ctx, c)
	case "list":
		list, err := s.ListTools(ctx, nil)
		if err != nil {
			return reply{}, err
		}
		return reply{Tools: len(list.Tools)}, nil
	case "call":
		return g.call(ctx, s, c)
	case "level":
		return reply{}, s.SetLoggingLevel(ctx, &mcp.SetLoggingLevelParams{Level: "debug"})
	case "told":
		return reply{Progress: int(s.progress.Load()), Logs: int(s.logs.Load()), Changes: int(s.changes.Load())}, nil
	case "abort":
		g.mu.Lock()
		defer g.mu.Unlock()
		g.calls[c.Target]()
		return reply{}, nil
	}
	return reply{}, s.Close()
}

func (g *goClient) open(ctx context.Context, c command) error {
	s := new(goSession)
	client := mcp.NewClient(&mcp.Implementation{Name: "clients", Version: "1"}, &mcp.ClientOptions{
		ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			if declines(r.Params.Message) {
				return &mcp.ElicitResult{Action: "decline"}, nil
			}
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": "Ada"}}, nil
		},
		CreateMessageHandler: func(context.Context, *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			return &mcp.CreateMessageResult{Model: "m", Role: "assistant", Content: &mcp.TextContent{Text: "Paris"}}, nil
		},
		ToolListChangedHandler:      func(context.Context, *mcp.ToolListChangedRequest) { s.changes.Add(1) },
		LoggingMessageHandler:       func(context.Context, *mcp.LoggingMessageRequest) { s.logs.Add(1) },
		ProgressNotificationHandler: func(context.Context, *mcp.ProgressNotificationClientRequest) { s.progress.Add(1) },
	})
	transport := &mcp.StreamableClientTransport{Endpoint: c.URL, HTTPClient: &http.Client{Transport: bearer(c.Key)}}
	if c.Key == "" {
		transport.OAuthHandler = g
	}
	session, err := client.Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: g.version})
	if err != nil {
		return err
	}
	s.ClientSession = session
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sessions[c.Session] = s
	return nil
}

func (g *goClient) call(ctx context.Context, s *goSession, c command) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(max(c.Timeout, 8000))*time.Millisecond)
	defer cancel()
	g.mu.Lock()
	g.calls[c.ID] = cancel
	g.mu.Unlock()
	params := &mcp.CallToolParams{Name: c.Tool, Arguments: c.Args, Meta: mcp.Meta{}}
	params.SetProgressToken(c.Session + c.Tool)
	if c.Tool == "log" {
		params.Meta["io.modelcontextprotocol/logLevel"] = "debug"
	}
	result, err := s.CallTool(ctx, params)
	if err != nil {
		return reply{}, err
	}
	r := reply{IsError: result.IsError}
	if len(result.Content) > 0 {
		if text, ok := result.Content[0].(*mcp.TextContent); ok {
			r.Text = text.Text
		}
	}
	return r, nil
}

// A bearer is a transport that sends a key.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if b != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+string(b))
	}
	return http.DefaultTransport.RoundTrip(r)
}
