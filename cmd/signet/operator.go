package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
)

// operator is the socket over which commands of the same user reach a running gateway. There is one for
// each config file, so two gateways of one file are refused.
type operator struct {
	net.Listener
	path    string
	server  *http.Server
	release func()
}

// operatorPath is where the gateway of a config file is reached. It makes the directory, which only this
// user may enter.
func operatorPath(configPath string, env environ) (string, error) {
	absolute, err := filepath.Abs(configPath)
	if err != nil {
		return "", err
	}
	// Only the directory's links are followed: Kubernetes makes the file itself one that moves.
	if dir, err := filepath.EvalSymlinks(filepath.Dir(absolute)); err == nil {
		absolute = filepath.Join(dir, filepath.Base(absolute))
	}
	dir := filepath.Join(os.TempDir(), "signet-"+strconv.Itoa(os.Getuid()))
	if runtime := env.get("XDG_RUNTIME_DIR"); runtime != "" {
		dir = filepath.Join(runtime, "signet")
	}
	if err := privateDir(dir); err != nil {
		return "", fmt.Errorf("operator socket: %w", err)
	}
	sum := sha256.Sum256([]byte(absolute))
	return filepath.Join(dir, hex.EncodeToString(sum[:6])+".sock"), nil
}

// listenOperator binds the socket; nothing is answered before serve.
func listenOperator(configPath string, env environ) (*operator, error) {
	path, err := operatorPath(configPath, env)
	if err != nil {
		return nil, err
	}
	l, release, err := listenUnix(path)
	if err != nil {
		return nil, fmt.Errorf("operator socket %s (one for each config file): %w", path, err)
	}
	return &operator{Listener: l, path: path, release: release}, nil
}

func (o *operator) serve(h http.Handler, log *slog.Logger) {
	o.server = newServer(h, log)
	go func() { _ = o.server.Serve(o.Listener) }() // it ends when close closes the socket
}

// close ends the socket; requests get a moment to end unless kill ends first. It may be called before serve.
func (o *operator) close(kill context.Context) {
	if o.server != nil {
		ctx, cancel := context.WithTimeout(kill, lastWords)
		defer cancel()
		if o.server.Shutdown(ctx) != nil {
			_ = o.server.Close()
		}
	}
	_ = o.Close()
	o.release()
}
