package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"signet/gateway/sandbox"
)

// mostGrowth is how many bytes of RAM a gateway may hold more than when it had answered one call.
const mostGrowth = 20 << 20

// A longRun is a gateway in a process of its own that is not to grow.
type longRun struct {
	process  *os.Process
	path     string // of the config file
	environ  environ
	address  string
	upstream string
	client   http.Client
	observer http.Client // has a connection of its own
	ids      atomic.Int64
}

// newLongRun starts the program, with a route to a sandbox's server, and calls it once.
func newLongRun(t *testing.T) *longRun {
	t.Helper()
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	server := cloud.MCP(sandbox.MCPOptions{Name: "r", Service: "svc", Region: "eu-west-1"})
	key, dir := cloud.IssueStatic("somebody"), t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	run := &longRun{
		path: filepath.Join(dir, "signet.yaml"), address: l.Addr().String(), upstream: server.URL() + "/mcp",
		environ: environ{
			"HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "PATH=" + os.Getenv("PATH"), "AWS_EC2_METADATA_DISABLED=true",
			"AWS_ACCESS_KEY_ID=" + key.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + key.SecretAccessKey,
		},
		client:   http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		observer: http.Client{Transport: &http.Transport{}},
	}
	write(t, run.path, run.edition(0))
	_ = l.Close()
	command := exec.Command(shipped(t), "run", "-c", run.path)
	command.Env = run.environ
	log := new(logText)
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("the gateway's log ends with %s", log.String()[max(0, len(log.String())-2000):])
		}
	})
	run.process = command.Process
	run.await(t, "ready", func() bool { return run.initialize(t.Context()) == nil })
	run.client.CloseIdleConnections()
	t.Cleanup(run.client.CloseIdleConnections)
	t.Cleanup(run.observer.CloseIdleConnections)
	return run
}

// shipped is the program, built as it is shipped: with the race detector in it, as this test may have, RAM grows
// by itself.
func shipped(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "signet")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// edition is the nth config. Each differs from the one before in another part of a route, and in the name of
// another route.
func (run *longRun) edition(n int) string {
	return fmt.Sprintf(`listen: [%q]
auth: { mode: none }
drain: 1s
routes:
  r:
    upstream: %q
    service: svc
    region: eu-west-1
    headers: { X-Edition: "%d" }
    pool: { idle_timeout: 10ms, max_idle: %d }
    credentials: { wait: %ds }
  other-%d: { upstream: "http://127.0.0.1:1/mcp", upstream_auth: none }
`, run.address, run.upstream, (n+2)/3, 60+(n+1)/3%2, 10+n/3%2, n)
}

// occupied is what a process holds.
type occupied struct{ files, goroutines, memory int }

// occupied reads what the gateway holds now.
func (run *longRun) occupied(t *testing.T) occupied {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d/", run.process.Pid)
	goroutines := 0
	for line := range strings.Lines(run.metrics(t)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "go_goroutines "); ok {
			goroutines, _ = strconv.Atoi(value)
		}
	}
	files, err := os.ReadDir(proc + "fd")
	if err != nil || goroutines == 0 {
		t.Fatalf("%v, %d goroutines", err, goroutines)
	}
	statm, err := os.ReadFile(proc + "statm")
	if err != nil {
		t.Fatal(err)
	}
	var all, resident int
	if _, err := fmt.Sscan(string(statm), &all, &resident); err != nil {
		t.Fatal(err)
	}
	return occupied{files: len(files), goroutines: goroutines, memory: resident * os.Getpagesize()}
}

// metrics asks on a connection that stays: the end of one takes net/http half a second and a goroutine.
func (run *longRun) metrics(t *testing.T) string {
	t.Helper()
	status, body, err := request(&run.observer, http.MethodGet, "http://"+run.address+"/-/metrics", "", "")
	if err != nil || status != http.StatusOK {
		t.Fatal(status, body, err)
	}
	return body
}

// over says what h is more of than at the start, and may not be.
func (h occupied) over(start occupied) (excess []string) {
	if h.files > start.files {
		excess = append(excess, fmt.Sprintf("%d files, %d at the start", h.files, start.files))
	}
	if h.goroutines > start.goroutines {
		excess = append(excess, fmt.Sprintf("%d goroutines, %d at the start", h.goroutines, start.goroutines))
	}
	if h.memory > start.memory+mostGrowth {
		excess = append(excess, fmt.Sprintf("%d KiB of RAM, %d at the start", h.memory>>10, start.memory>>10))
	}
	return excess
}

// await tries until it works, within patience.
func (run *longRun) await(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not %s in %s", what, patience)
		}
	}
}

// send sends a message, or opens the standing stream when it is empty.
func (run *longRun) send(ctx context.Context, message string) (*http.Response, error) {
	method := http.MethodPost
	if message == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+run.address+"/r", strings.NewReader(message))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	return run.client.Do(r)
}

// initialize begins a session that nobody ends.
func (run *longRun) initialize(ctx context.Context) error {
	response, err := run.send(ctx, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`, run.ids.Add(1)))
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(body), `"result"`) || response.Header.Get("Mcp-Session-Id") == "" {
		return fmt.Errorf("%w %s", err, body)
	}
	return nil
}

// open opens the nth stream, a standing one or that of a call, and reads how it begins.
func (run *longRun) open(ctx context.Context, n int) (*http.Response, error) {
	message := ""
	if n%2 == 1 {
		message = fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"events","arguments":{"count":100000,"every_ms":5,"bytes":200}}}`, run.ids.Add(1))
	}
	response, err := run.send(ctx, message)
	if err != nil {
		return nil, err
	}
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" {
		body, _ := io.ReadAll(response.Body)
		return response, fmt.Errorf("no stream: %s %s", kind, body)
	}
	if message != "" {
		_, err = response.Body.Read(make([]byte, 1))
	}
	return response, err
}

// reload saves the nth edition and has it applied.
func (run *longRun) reload(n int) error {
	if err := os.WriteFile(run.path, []byte(run.edition(n)), 0o600); err != nil {
		return err
	}
	var out strings.Builder
	p := &program{args: []string{"reload", "-c", run.path}, environ: run.environ, stdout: &out, stderr: &out}
	if code := p.execute(); code != exitOK {
		return fmt.Errorf("reload %d: exit %d, %s", n, code, out.String())
	}
	return nil
}

// share runs n tasks, some workers at a time. The first error ends a worker.
func share(t *testing.T, all *sync.WaitGroup, workers, n int, task func(n int) error) {
	var next atomic.Int64
	for range workers {
		all.Go(func() {
			for {
				i := int(next.Add(1))
				if i > n {
					return
				}
				if err := task(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
}

// Issue 5: sessions that are never ended, streams whose clients leave, and reloads of every part.
func TestALongRunLeavesNothingBehind(t *testing.T) {
	initializes, streams, reloads := 1000, 200, 20
	if os.Getenv("SIGNET_LONG") != "" {
		initializes, streams, reloads = 100_000, 10_000, 1000
	}
	run := newLongRun(t)
	start, same := run.occupied(t), 0
	// The config and AWS's files are looked at every two seconds each, which opens files: a second without a look does
	// not come where the two are a second apart.
	run.await(t, "at rest for a while", func() bool {
		before := start
		start, same = run.occupied(t), same+1
		if start.files != before.files || start.goroutines != before.goroutines {
			same = 0
		}
		return same == 8
	})
	var all sync.WaitGroup
	share(t, &all, 16, initializes, func(int) error { return run.initialize(t.Context()) })
	share(t, &all, 8, streams, func(n int) error {
		response, err := run.open(t.Context(), n)
		if response != nil {
			_ = response.Body.Close() // leaves before the end
		}
		return err
	})
	share(t, &all, 1, reloads, run.reload)
	all.Wait()
	run.client.CloseIdleConnections()
	most, end := run.occupied(t), occupied{}
	defer func() { t.Logf("start %+v, at the end of the load %+v, at rest %+v", start, most, end) }()
	run.await(t, "back to what it held", func() bool {
		end = run.occupied(t)
		return len(end.over(start)) == 0
	})
}

// A control: with streams that stay open and bodies that are under way, the budget must be seen to be exceeded
// in each of its parts.
func TestALongRunControlOfWhatStaysIsSeen(t *testing.T) {
	run := newLongRun(t)
	start := run.occupied(t)
	ctx, leave := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer leave()
	for n := range 10 {
		response, err := run.open(ctx, n)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		all.Go(func() {
			body := fmt.Sprintf(`{"jsonrpc":"2.0","id":"late-%d","method":"tools/call","params":{"name":"delay","arguments":{"ms":600000,"text":%q}}}`, n, strings.Repeat("x", 4_000_000))
			if response, err := run.send(ctx, body); err == nil {
				_ = response.Body.Close()
			}
		})
	}
	run.await(t, "seen to leak in all three ways", func() bool { return len(run.occupied(t).over(start)) == 3 })
}
