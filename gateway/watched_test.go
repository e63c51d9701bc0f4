package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"signet/config"
)

// A follower is a gateway that follows a file, as the program does, under calls.
type follower struct {
	*storm
	path     string
	upstream *httptest.Server
	haste    chan config.Update // nil: not hasty
	cancel   context.CancelFunc
	ended    sync.WaitGroup
	heard    chan string // of each update the edition, empty for a refused one

	applies, refusals, most atomic.Int64 // most: replaced routes held at once
}

// follow starts one with edition 0. A hasty one takes each good save at once, where config.Watch waits
// until the file is left alone.
func follow(t *testing.T, hasty bool) *follower {
	t.Helper()
	f := &follower{
		storm: &storm{}, path: filepath.Join(t.TempDir(), "signet.yaml"), heard: make(chan string, 100_000),
		upstream: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answering(fmt.Sprintf(`{"jsonrpc":"2.0","id":"x","result":{"editions":[%q,%q]}}`,
				r.Header.Get("X-Edition"), r.URL.Query().Get("edition")))(w, r)
		})),
	}
	t.Cleanup(f.upstream.Close)
	f.save(t, 0, false)
	options := config.Options{Environ: []string{"HOME=" + filepath.Dir(f.path)}} // not SIGNET_LONG
	cfg, err := config.Load(f.path, options)
	if err != nil {
		t.Fatal(err)
	}
	f.front = overTCP(t, cfg)
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	updates := config.Watch(ctx, f.path, cfg, options)
	if hasty {
		f.haste = make(chan config.Update)
		f.ended.Go(func() { f.loop(f.haste) })
	}
	f.ended.Go(func() { f.loop(updates) })
	t.Cleanup(f.stop)
	return f
}

// stop ends the watch.
func (f *follower) stop() {
	f.cancel()
	if f.haste != nil {
		close(f.haste)
		f.haste = nil
	}
	f.ended.Wait()
}

// loop does with updates what the program does.
func (f *follower) loop(updates <-chan config.Update) {
	for u := range updates {
		if u.Err != nil {
			f.gateway.Refused(u.Err)
			f.refusals.Add(1)
			f.heard <- ""
			continue
		}
		if _, err := f.gateway.Reload(context.Background(), u.Config, nil); err != nil {
			f.fail("a good file is refused: %v", err)
		}
		f.applies.Add(1)
		f.most.Store(max(f.most.Load(), int64(f.gateway.Status().Retiring.Routes)))
		f.heard <- u.Config.Routes["a"].Headers["X-Edition"]
	}
}

// edition is the nth config. Its three routes carry the number, in a header and in the upstream.
func (f *follower) edition(n int) *config.Config {
	routes := map[string]config.Route{}
	for _, name := range []string{"a", "b", "c"} {
		r := plain(fmt.Sprintf("%s/mcp?edition=%d", f.upstream.URL, n))
		r.Headers = map[string]string{"X-Edition": fmt.Sprint(n)}
		routes[name] = r
	}
	return settings(routes)
}

// save writes the nth edition over the file, as cp does; a bad one without its last bytes.
func (f *follower) save(t *testing.T, n int, bad bool) {
	t.Helper()
	var b strings.Builder
	b.WriteString("auth: { mode: none }\nroutes:\n")
	cfg := f.edition(n)
	for name, r := range cfg.Routes {
		fmt.Fprintf(&b, "  %s:\n    upstream: %s\n    upstream_auth: none\n    headers: { X-Edition: %q }\n", name, r.Upstream, r.Headers["X-Edition"])
	}
	text := b.String()
	if bad {
		text = text[:len(text)-n%100-20] + "\n  oops: ["
	}
	if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
		t.Error(err)
	}
	if f.haste != nil && !bad {
		f.haste <- config.Update{Config: cfg}
	}
}

// call calls until ctx ends, and checks that each answer is of one edition.
func (f *follower) call(ctx context.Context, route string) {
	for ctx.Err() == nil {
		body, err := f.ask(context.Background(), route, toolCall("x", "echo", `"text":"hi"`))
		var answer struct{ Result struct{ Editions []string } }
		if err == nil {
			err = json.Unmarshal([]byte(body), &answer)
		}
		if e := answer.Result.Editions; err != nil || len(e) != 2 || e[0] == "" || e[0] != e[1] {
			f.fail("call on %s: %v %s", route, err, body)
		}
		f.calls.Add(1)
	}
}

// becomes waits until the nth edition serves.
func (f *follower) becomes(t *testing.T, n int) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case got := <-f.heard:
			if got == fmt.Sprint(n) {
				return
			}
		case <-late:
			t.Fatalf("edition %d was never applied", n)
		}
	}
}

// heap is what is in use once the garbage is gone.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// run saves so many bursts of files, 30 % of them bad, under calls. After each burst it leaves the file alone
// until there is an update and there were so many calls. It returns the time it took, and the heap as time went on.
func (f *follower) run(t *testing.T, bursts, calls int) (took time.Duration, heaps []uint64) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for w := range min(8, calls) {
		workers.Go(func() { f.call(ctx, []string{"a", "b", "c"}[w%3]) })
	}
	saves, chances, began := 0, rand.New(rand.NewPCG(8, 8)), time.Now()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for burst := range bursts {
		for range 50 {
			<-tick.C
			saves++
			f.save(t, saves, chances.IntN(10) < 3)
		}
		<-f.heard
		for f.calls.Load() < int64((burst+1)*calls) {
			<-tick.C
		}
		if burst >= bursts/4 {
			heaps = append(heaps, heap())
		}
	}
	saves++
	f.save(t, saves, false)
	f.becomes(t, saves)
	took = time.Since(began)
	stop()
	workers.Wait()
	f.stop()
	t.Logf("%d saves in %s: %d applied, %d refused; %d calls, %.0f/s; at most %d replaced routes held; heap %d to %d KiB",
		saves, took.Round(time.Millisecond), f.applies.Load(), f.refusals.Load(), f.calls.Load(), float64(f.calls.Load())/took.Seconds(),
		f.most.Load(), slices.Min(heaps)>>10, slices.Max(heaps)>>10)
	return took, heaps
}

// often reports whether there were more applies than five a second.
func (f *follower) often(took time.Duration) bool {
	return float64(f.applies.Load()) > 5*took.Seconds()+1
}

func TestFault_K08_AStormOfSavesFailsNoCallAndEndsWithTheLastGoodFile(t *testing.T) {
	bursts, calls := 6, 100
	if os.Getenv("SIGNET_LONG") != "" {
		bursts, calls = 200, 300 // a minute, more than 100 saves and 1,000 calls a second
	}
	f := follow(t, false)
	took, heaps := f.run(t, bursts, calls)
	if n := f.failed.Load(); n > 0 {
		t.Errorf("%d of %d calls failed, the first: %s", n, f.calls.Load(), f.first)
	}
	if f.often(took) || f.applies.Load()+f.refusals.Load() < int64(bursts) || f.refusals.Load() == 0 {
		t.Errorf("%d applied and %d refused in %s; want one of them for each burst, and at most 5 a second", f.applies.Load(), f.refusals.Load(), took)
	}
	half := len(heaps) / 2
	if first, last := slices.Min(heaps[:half]), slices.Min(heaps[half:]); last > first+first/4+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", first, last)
	}
	if s := f.gateway.Status(); !s.LastReload.OK || s.Snapshot.Number != uint64(f.applies.Load())+1 || s.Retiring.Routes > 8 {
		t.Errorf("%+v after %d applies", s, f.applies.Load())
	}
}

// The control: who takes each save at once applies far more than five a second.
func TestStormControlOfAHastyWatchAppliesTooOften(t *testing.T) {
	f := follow(t, true)
	if took, _ := f.run(t, 4, 0); !f.often(took) {
		t.Errorf("%d applies in %s: the storm cannot see haste", f.applies.Load(), took)
	}
}
