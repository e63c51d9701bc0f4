// Conformance runs the official MCP conformance suite against servers twice, on their own and through a signing
// route of signet run, and compares the outcomes of all checks, status by status. It also runs the suite's client
// scenarios through a route, and its server scenarios through an nginx as it comes in front of the gateway.
//
// Usage: bash .ci/conformance/run. That installs the suite, builds the programs and starts this with where they
// are. It exits 1 when an outcome differs, when what is known to pass does not, when a request reached an upstream
// unsigned, or when a gateway that was broken on purpose passes as well.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := dispatch(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		stop()
		os.Exit(1)
	}
}

// dispatch is the command that the suite takes for a client when args say so; else the whole run.
func dispatch(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == "client" {
		return client(ctx, args[1])
	}
	var t tools
	var runs int
	flag.StringVar(&t.bin, "bin", "", "where signet, everything-server and everything-client are")
	flag.StringVar(&t.sdk, "sdk", "", "where node_modules and server.mjs are")
	flag.IntVar(&runs, "runs", 1, "how often all is run; every run must pass")
	flag.Parse()
	if t.bin == "" || t.sdk == "" || runs < 1 || flag.NArg() > 0 {
		return errors.New("usage: conformance -bin DIR -sdk DIR [-runs N]")
	}
	sdk, wrong := filepath.Abs(t.sdk)
	dir, err := os.MkdirTemp("", "conformance-")
	if err := errors.Join(wrong, err); err != nil {
		return err
	}
	t.sdk, t.dir = sdk, dir
	if err := run(ctx, t, runs); err != nil {
		return fmt.Errorf("%w; what was written is in %s", err, dir)
	}
	return os.RemoveAll(dir)
}

// tools are where what is run is, and where what it writes goes.
type tools struct{ bin, sdk, dir string }

// program is one of those that were built.
func (t tools) program(name string) string { return filepath.Join(t.bin, name) }

// node is the Node.js that came with the suite.
func (t tools) node() string { return filepath.Join(t.sdk, "node_modules", ".bin", "node") }

// suite is the suite's program, for node to run.
func (t tools) suite() string {
	return filepath.Join(t.sdk, "node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js")
}
