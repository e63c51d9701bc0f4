package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// A demoClient is an MCP client of one route, as plain as can be. It is used by one goroutine.
type demoClient struct {
	url, key string
	session  string
	http     *http.Client
}

// demoProtocol is the protocol revision it speaks.
const demoProtocol = "2025-11-25"

func newDemoClient(url, key string) *demoClient {
	return &demoClient{url: url, key: key, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}}
}

// close ends its connections.
func (c *demoClient) close() { c.http.CloseIdleConnections() }

// initialize begins a session.
func (c *demoClient) initialize(ctx context.Context) error {
	_, err := c.ask(ctx, "init", "initialize", map[string]any{
		"protocolVersion": demoProtocol, "capabilities": map[string]any{},
		"clientInfo": map[string]any{"name": "signet demo", "version": version()},
	})
	return err
}

// echo calls a tool that answers with JSON, and compares the answer.
func (c *demoClient) echo(ctx context.Context, call string) error {
	return c.tool(ctx, call, "echo", map[string]any{"call": call, "text": call})
}

// events calls a tool that answers with a stream of events.
func (c *demoClient) events(ctx context.Context, call string) error {
	return c.tool(ctx, call, "events", map[string]any{"call": call, "count": 3, "every_ms": 5, "bytes": 512})
}

// tool fails unless the answer is the one to this very call, whole and without an error.
func (c *demoClient) tool(ctx context.Context, call, name string, arguments map[string]any) error {
	answer, err := c.ask(ctx, call, "tools/call", map[string]any{"name": name, "arguments": arguments})
	if err != nil {
		return err
	}
	if name == "echo" && !bytes.Contains(answer.Result, []byte(call)) {
		return fmt.Errorf("call %s: the answer %s is another call's", call, answer.Result)
	}
	return nil
}

// A demoAnswer is a JSON-RPC response.
type demoAnswer struct {
	ID     string          `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

func (c *demoClient) ask(ctx context.Context, id, method string, params any) (demoAnswer, error) {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	if err != nil {
		return demoAnswer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return demoAnswer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Mcp-Protocol-Version", demoProtocol)
	if c.session != "" {
		r.Header.Set("Mcp-Session-Id", c.session)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return demoAnswer{}, err
	}
	defer response.Body.Close()
	if session := response.Header.Get("Mcp-Session-Id"); session != "" {
		c.session = session
	}
	return readAnswer(response, id)
}

// readAnswer is the response to id: the whole body, or the last message of an event stream.
func readAnswer(r *http.Response, id string) (demoAnswer, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return demoAnswer{}, fmt.Errorf("call %s: %w", id, err)
	}
	message := string(body)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream") {
		_, message, _ = strings.Cut(message[max(0, strings.LastIndex(message, "\ndata:")):], "data:")
		message, _, _ = strings.Cut(message, "\n")
	}
	var answer demoAnswer
	if err := json.Unmarshal([]byte(message), &answer); err != nil {
		return answer, fmt.Errorf("call %s: HTTP %d, no JSON-RPC message at the end: %w", id, r.StatusCode, err)
	}
	if answer.ID != id || answer.Error != nil || answer.Result == nil {
		return answer, fmt.Errorf("call %s: HTTP %d %s", id, r.StatusCode, message)
	}
	return answer, nil
}
