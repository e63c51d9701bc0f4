package gateway

import (
	"bufio"
	"context"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"signet/config"
)

// These rows have siblings without a network of their own. .ci/namespaces makes one: a pair of devices, near in the
// test's namespace and far in the one that the environment names.
const (
	nearby  = "198.51.100.1"
	faraway = "198.51.100.2"
	nowhere = "198.51.100.77"

	// deadEnd is the hardware address of nobody: what is sent there is lost without a word.
	deadEnd = "02:00:de:ad:be:ef"
)

// farNamespace is the name of the other namespace.
func farNamespace(t *testing.T) string {
	t.Helper()
	name := os.Getenv("FAR_NAMESPACE")
	if name == "" {
		t.Skip("it takes two network namespaces, which .ci/namespaces makes as root")
	}
	return name
}

// ip runs the command of that name.
func ip(t *testing.T, line string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v %s", line, err, out)
	}
}

// acrossNetworks is a gateway with a route r to upstream, and a route beside to one on this machine.
func acrossNetworks(t *testing.T, upstream string, change func(*config.Route)) *front {
	t.Helper()
	here := httptest.NewServer(answering(callAnswer))
	t.Cleanup(here.Close)
	r := plain(upstream)
	change(&r)
	return overTCPWith(t, settings(map[string]config.Route{"r": r, "beside": plain(here.URL)}), Options{Dial: dialTCP})
}

// ask calls a route and returns the whole answer.
func (f *front) ask(t *testing.T, route string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	response, err := f.Do(f.newRequest(ctx, route, callBody))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%v after %s", err, text)
	}
	return string(text)
}

func TestFault_F03_ABlackHoleOfANetworkOpensTheCircuit(t *testing.T) {
	farNamespace(t)
	ip(t, "neigh replace "+nowhere+" lladdr "+deadEnd+" dev near nud permanent")
	f := acrossNetworks(t, "http://"+nowhere+"/mcp", func(r *config.Route) { r.Timeouts.Connect = 300 * time.Millisecond })
	for n := range 5 {
		if answer := f.ask(t, "r"); !strings.Contains(answer, `"code":-31002`) || !strings.Contains(answer, `"reason":"connect"`) {
			t.Errorf("call %d: %s", n, answer)
		}
	}
	if answer := f.ask(t, "r"); !strings.Contains(answer, `"reason":"circuit_open"`) {
		t.Errorf("after five: %s", answer)
	}
	if answer := f.ask(t, "beside"); answer != callAnswer {
		t.Errorf("another route: %s", answer)
	}
}

func TestFault_F06_ANetworkThatFallsSilentInsideAStreamIsFoundOut(t *testing.T) {
	far := farNamespace(t)
	upstream := exec.CommandContext(t.Context(), "ip", "netns", "exec", far, os.Args[0], "silent", faraway+":8080")
	out, err := upstream.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := upstream.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = upstream.Process.Kill(); _ = upstream.Wait() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	f := acrossNetworks(t, "http://"+faraway+":8080/mcp", func(*config.Route) {})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	response, err := f.Do(f.newRequest(ctx, "r", callBody))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	stream := bufio.NewReader(response.Body)
	if line, err := stream.ReadString('\n'); err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	ip(t, "neigh replace "+faraway+" lladdr "+deadEnd+" dev near nud permanent")
	ip(t, "-n "+far+" neigh replace "+nearby+" lladdr "+deadEnd+" dev far nud permanent")
	if answer := f.ask(t, "beside"); answer != callAnswer {
		t.Errorf("another route: %s", answer)
	}
	rest, err := io.ReadAll(stream)
	if err != nil || !strings.Contains(string(rest), `"code":-31005`) || !strings.Contains(string(rest), `"outcome":"unknown"`) {
		t.Errorf("%v %s", err, rest)
	}
}
