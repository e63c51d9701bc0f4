package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"time"
)

// clientTime bounds a client and the gateway it goes through, a little less than the suite does.
const clientTime = scenarioTime - 2*time.Second

// What client is told by its environment: where the programs are, and where the gateway may write.
const (
	envGateway = "CONFORMANCE_SIGNET"
	envClient  = "CONFORMANCE_CLIENT"
	envDir     = "CONFORMANCE_DIR"
)

// client stands for the Go SDK's client: it starts a gateway in front of the suite's server, has the client talk
// to a signing route of it, and checks that everything the server got was signed.
func client(ctx context.Context, server string) error {
	ctx, cancel := context.WithTimeout(ctx, clientTime)
	defer cancel()
	upstream, err := url.Parse(server)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(os.Getenv(envDir), "client-")
	if err != nil {
		return err
	}
	k := newKey()
	h := newHop(k, upstream)
	front := httptest.NewServer(h)
	defer front.CloseClientConnections()
	g, err := startGateway(ctx, os.Getenv(envGateway), dir, k, map[string]target{"route": {front.URL + "/mcp", true}})
	if err != nil {
		return err
	}
	defer g.stop()
	command := exec.CommandContext(ctx, os.Getenv(envClient), g.url("route"))
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("the client: %w", err)
	}
	return h.signed("the suite's server")
}

// signed reports whether everything that came was signed, and something came.
func (h *hop) signed(who string) error {
	if n := h.refused.Load(); n > 0 {
		return fmt.Errorf("%s: %d requests were not signed for it, the latest: %s", who, n, *h.cause.Load())
	}
	if h.verified.Load() == 0 {
		return fmt.Errorf("%s: no request came", who)
	}
	return nil
}
