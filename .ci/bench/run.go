package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// run measures everything and prints the tables.
func run(s settings) error {
	g, err := newGrounds()
	if err != nil {
		return err
	}
	defer g.close()
	g.endOnSignal()
	ids := new(atomic.Int64)
	if os.Getenv("BENCH_ONLY") == hung {
		goals, err := g.hungGoals(s, ids)
		if err != nil {
			return err
		}
		return printGoals(os.Stdout, goals)
	}
	calls, err := g.calls(s, ids)
	if err != nil {
		return err
	}
	printCosts(os.Stdout, s, calls)
	goals, err := g.goals(s, ids, calls)
	if err != nil {
		return err
	}
	return printGoals(os.Stdout, goals)
}

// endOnSignal leaves no program behind when the run is interrupted.
func (g *grounds) endOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		g.close()
		os.Exit(1)
	}()
}

// lineup starts what small calls are measured through.
func (g *grounds) lineup() ([]*contestant, error) {
	all := []*contestant{g.direct()}
	starts := []func() (*contestant, error){
		func() (*contestant, error) { return g.proxy("plain") },
		func() (*contestant, error) { return g.proxy("tuned") },
	}
	if _, err := exec.LookPath("nginx"); err == nil {
		starts = append(starts, g.nginx)
	} else {
		fmt.Fprintln(os.Stderr, "bench: nginx is not installed: what is compared with it is left out")
	}
	for _, spans := range []string{sampled, unsampled, off} {
		starts = append(starts, func() (*contestant, error) { return g.gateway(spans) })
		if base := os.Getenv("BENCH_BASE"); base != "" {
			starts = append(starts, func() (*contestant, error) { return g.run(base, "base, spans "+spans, spans) })
		}
	}
	for _, start := range starts {
		c, err := start()
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// calls measures small calls through everything there is.
func (g *grounds) calls(s settings, ids *atomic.Int64) (*series, error) {
	contestants, err := g.lineup()
	if err != nil {
		return nil, err
	}
	if err := g.refusesUnsigned(ids); err != nil {
		return nil, err
	}
	calls := newSeries(s, ids)
	if err := calls.play(small(), contestants...); err != nil {
		return nil, err
	}
	if g.batches.Load() == 0 {
		return nil, errors.New("no span reached the collector: what is called sampled was not")
	}
	return calls, nil
}

// refusesUnsigned makes sure that the upstream can tell a call that is not signed: else no answer proves
// anything.
func (g *grounds) refusesUnsigned(ids *atomic.Int64) error {
	crew, err := newCrew(target{address: g.upstream.Addr().String(), path: "/signed"}, small(), 1, ids)
	if err == nil {
		crew.close()
		return errors.New("the upstream answered a call that was not signed")
	}
	return nil
}

// named is the contestant of that name that was started first.
func (g *grounds) named(name string) *contestant {
	for _, c := range g.started {
		if c.name == name {
			return c
		}
	}
	return nil
}
