//go:build unix

package main

import (
	"context"
	"os"
	"sync"
	"syscall"
	"testing"
)

// Row P10. Those who ask while a reload is under way share the next one; nothing is applied twice at a time,
// and what is served in the end is the file.
func TestFault_P10_AHundredHangupsAndAHundredAskersAreOneAfterTheOther(t *testing.T) {
	d, log := startDaemon(t, `listen: ["127.0.0.1:0"]`+oneRoute)
	var applied []uint64
	d.told = func(r reloaded) { applied = append(applied, r.changes.Snapshot) } // by the loop alone, or the race detector says so
	together := make([]chan reloaded, maxAsking)
	for i := range together {
		together[i] = make(chan reloaded, 1)
		d.reloads <- reload{together[i]}
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.loop(ctx) }()
	for _, done := range together {
		if r := <-done; r.err != nil || r.changes.Snapshot != 2 {
			t.Errorf("one of those who asked together got snapshot %d, %v; want 2 as the others", r.changes.Snapshot, r.err)
		}
	}
	write(t, d.path, `listen: ["127.0.0.1:0"]`+oneRoute+"  two: { upstream: \"http://127.0.0.1:1/mcp\", upstream_auth: none }\n")
	var asking sync.WaitGroup
	for range 100 {
		asking.Go(func() {
			if _, err := d.ask(t.Context()); err != nil {
				t.Error(err)
			}
		})
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil { // caught by the daemon, until it ends
			t.Fatal(err)
		}
	}
	asking.Wait()
	end()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for i, snapshot := range applied {
		if snapshot != uint64(i+2) {
			t.Fatalf("snapshots %v, want one after the other", applied)
		}
	}
	if _, served := d.current.Routes["two"]; !served || !d.gateway.Status().LastReload.OK {
		t.Errorf("the last file does not serve: %s", log)
	}
}

// The operator socket answers before the loop runs; who has asked it may send a SIGHUP next.
func TestHangupBeforeTheLoopRunsIsKeptForIt(t *testing.T) {
	d, _ := startDaemon(t, `listen: ["127.0.0.1:0"]`+oneRoute)
	told := make(chan reloaded, 1)
	d.told = func(r reloaded) { told <- r }
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.loop(ctx) }()
	if r := <-told; r.err != nil || r.changes.Snapshot != 2 {
		t.Errorf("%+v", r)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// The watch lets a change settle, and knows nothing of what was applied meanwhile because somebody asked.
func TestFileThatIsPutBackRightAfterAReloadIsServedAgain(t *testing.T) {
	first := `listen: ["127.0.0.1:0"]` + oneRoute
	for what, saved := range map[string]string{
		"applied": first + "  two: { upstream: \"http://127.0.0.1:1/mcp\", upstream_auth: none }\n",
		"refused": "routes: 7",
	} {
		t.Run(what, func(t *testing.T) {
			d, log := startDaemon(t, first)
			told := make(chan reloaded, 8)
			d.told = func(r reloaded) { told <- r }
			ctx, end := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- d.loop(ctx) }()
			write(t, d.path, saved)
			if _, err := d.ask(t.Context()); (err != nil) != (what == "refused") {
				t.Error(err)
			}
			<-told
			write(t, d.path, first)
			for r := range told { // or the test's deadline
				if r.err == nil {
					break
				}
			}
			end()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if _, served := d.current.Routes["two"]; served || !d.gateway.Status().LastReload.OK {
				t.Errorf("the file does not serve: %s", log)
			}
		})
	}
}
