package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"signet/gateway"
)

// longestAnswer bounds the wait for a gateway's answer. A reload may wait for the drain of earlier ones.
const longestAnswer = 2 * time.Minute

// longestLook bounds the wait for a status, which waits for nothing.
const longestLook = 10 * time.Second

// maxAnswer bounds a gateway's answer: the names of 10,000 routes are 1 MB.
const maxAnswer = 64 << 20

// A running is the gateway that runs for a config file, as a command reaches it: over its operator socket.
type running struct {
	config string // absolute
	socket string
}

// A refusal is why a running gateway does not do what it was asked.
type refusal struct {
	problems []string
}

// Error is the problems, a line or two each.
func (e *refusal) Error() string { return strings.Join(e.problems, "\n") }

func (p *program) running(configPath string) (*running, error) {
	socket, err := operatorPath(configPath, p.environ)
	if err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(configPath)
	return &running{config: absolute, socket: socket}, err
}

// reload has the gateway read its file again.
func (r *running) reload(ctx context.Context) (gateway.Changes, error) {
	return r.ask(ctx, "/-/reload", struct{}{})
}

// diff is what a reload to a file would do.
func (r *running) diff(ctx context.Context, file string) (gateway.Changes, error) {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return gateway.Changes{}, err
	}
	return r.ask(ctx, "/-/diff", map[string]string{"file": absolute})
}

// ask posts a question. The error is a *refusal where the gateway says no.
func (r *running) ask(ctx context.Context, path string, question any) (gateway.Changes, error) {
	ctx, cancel := context.WithTimeout(ctx, longestAnswer)
	defer cancel()
	body, err := json.Marshal(question)
	if err != nil {
		return gateway.Changes{}, err
	}
	answer, err := r.send(ctx, http.MethodPost, path, body)
	if err != nil {
		return gateway.Changes{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	return read(answer)
}

// status is what the gateway is doing, as JSON.
func (r *running) status(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, longestLook)
	defer cancel()
	answer, err := r.send(ctx, http.MethodGet, "/-/status", nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the gateway of %s answered what this version does not understand: %s", r.config, answer.Status)
	}
	return text, err
}

// send asks over a connection of its own. The caller closes the answer's body.
func (r *running) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", r.socket)
	if err != nil {
		return nil, fmt.Errorf("no gateway runs for %s (%w); start it with: signet run -c %s", r.config, cause(err), r.config)
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return conn, nil
	}}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("the gateway of %s did not answer: %w", r.config, err)
	}
	return answer, nil
}

// read takes changes or problems from an answer.
func read(answer *http.Response) (gateway.Changes, error) {
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return gateway.Changes{}, err
	}
	var said struct {
		gateway.Changes
		Problems []string
	}
	err = json.Unmarshal(text, &said)
	switch {
	case answer.StatusCode == http.StatusOK && err == nil:
		return said.Changes, nil
	case answer.StatusCode == http.StatusUnprocessableEntity && len(said.Problems) > 0:
		return gateway.Changes{}, &refusal{said.Problems}
	}
	return gateway.Changes{}, errors.New("the gateway answered what this version does not understand: " + answer.Status)
}
