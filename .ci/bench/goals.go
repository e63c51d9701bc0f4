package main

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// The names of contestants in the tables.
const (
	asShipped  = "signet, spans " + sampled
	notSampled = "signet, spans " + unsampled
	noSpans    = "signet, spans " + off
)

// slack is by how much a goal may be missed: the machine is not ours alone.
const slack = 1.15

// A goal is a ratio and what it has to be.
type goal struct {
	row      string
	measure  string
	bar      float64
	least    bool // the ratio is to be no less than the bar; else no more
	measured float64
	missing  string // why it was not measured; empty: it was
}

// verdict is one word on a goal.
func (g goal) verdict() string {
	miss := g.measured / g.bar
	if g.least {
		miss = g.bar / g.measured
	}
	switch {
	case g.missing != "":
		return g.missing
	case miss <= 1:
		return "met"
	case miss <= slack && !g.least:
		return "missed, within the noise"
	}
	return "missed"
}

// goals measures what small calls do not show, and compares everything with its bar.
func (g *grounds) goals(s settings, ids *atomic.Int64, calls *series) ([]goal, error) {
	var all []goal
	compare := func(in *series, row, measure string, bar float64, name, to string) {
		one := goal{row: row, measure: measure, bar: bar}
		var ok bool
		if one.measured, ok = in.ratio(name, to, cost); !ok {
			one.missing = "not measured: no " + to
		}
		all = append(all, one)
	}
	compare(calls, "1", "CPU a call / httputil with defaults, unsigned", 0.55, asShipped, "plain")
	compare(calls, "2", "CPU a call / httputil tuned, unsigned", 1.25, asShipped, "tuned")
	compare(calls, "3", "CPU a call / nginx, unsigned", 2.8, asShipped, "nginx")
	compare(calls, "6", "CPU a call, spans sampled / off", 1.20, asShipped, noSpans)
	compare(calls, "6", "CPU a call, spans unsampled / off", 1.08, notSampled, noSpans)
	for _, long := range []struct {
		row, measure string
		bar          float64
		shape        shape
	}{
		{"7", "CPU a call, 64 KiB request / httputil with defaults", 1.15, longRequest()},
		{"8", "CPU a call, 64 KiB answer / httputil with defaults", 0.70, longAnswer()},
	} {
		in := newSeries(s, ids)
		if err := in.play(long.shape, g.named("plain"), g.named(asShipped)); err != nil {
			return nil, err
		}
		compare(in, long.row, long.measure, long.bar, asShipped, "plain")
	}
	collector, err := g.hungGoals(s, ids)
	if err != nil {
		return nil, err
	}
	all = append(all, collector...)
	streams, err := g.streamGoal(s, ids)
	if err != nil {
		return nil, err
	}
	left, err := isolation(s, ids, g, g.named(asShipped))
	if err != nil {
		return nil, err
	}
	return append(all, streams, goal{row: "#5", measure: "calls/s of a route beside a frozen one with a full queue / alone", bar: 0.95, least: true, measured: left}), nil
}

// streamGoal compares what silent streams hold in RAM, in programs that have done nothing else yet.
func (g *grounds) streamGoal(s settings, ids *atomic.Int64) (goal, error) {
	plain, err := g.proxy("plain")
	if err != nil {
		return goal{}, err
	}
	ours, err := g.gateway(sampled)
	if err != nil {
		return goal{}, err
	}
	of := map[*contestant]float64{}
	for _, c := range []*contestant{plain, ours} {
		if of[c], err = streamCost(s, ids, g, c); err != nil {
			return goal{}, err
		}
	}
	return goal{row: "12", measure: fmt.Sprintf("memory of a silent stream of %d / httputil", s.streams), bar: 1.0, measured: of[ours] / of[plain]}, nil
}

// printCosts prints what small calls cost.
func printCosts(w io.Writer, s settings, calls *series) {
	fmt.Fprintf(w, "%d rounds of %s, %d callers, medians (least to most); a ratio is taken within each round\n\n", s.rounds, s.round, s.callers)
	fmt.Fprintln(w, "| program | CPU a call, us | / nginx | / httputil | / tuned | calls/s | others on its CPU |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|")
	for _, name := range calls.order {
		cell := func(to string) string {
			if r, ok := calls.ratio(name, to, cost); ok && name != "direct" {
				return fmt.Sprintf("%.2f", r)
			}
			return "-"
		}
		us, others := "-", "-"
		if name != "direct" {
			us, others = spread(calls.each(name, cost)), fmt.Sprintf("%.0f %%", 100*median(calls.each(name, noise)))
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %.0f | %s |\n", name, us, cell("nginx"), cell("plain"), cell("tuned"),
			median(calls.each(name, rate)), others)
	}
	fmt.Fprintln(w)
	for _, spans := range []string{sampled, unsampled, off} {
		if r, ok := calls.ratio("signet, spans "+spans, "base, spans "+spans, cost); ok {
			fmt.Fprintf(w, "CPU a call / that of BENCH_BASE, spans %s: %.3f\n\n", spans, r)
		}
	}
}

// printGoals prints how far the goals were reached, and fails when one was missed.
func printGoals(w io.Writer, goals []goal) error {
	fmt.Fprintln(w, "| # | measure | bar | measured | |")
	fmt.Fprintln(w, "|---|---|---|---|---|")
	missed := 0
	for _, g := range goals {
		sign, measured := "<=", fmt.Sprintf("%.2f", g.measured)
		if g.least {
			sign = ">="
		}
		if g.missing != "" {
			measured = "-"
		}
		if g.verdict() == "missed" {
			missed++
		}
		fmt.Fprintf(w, "| %s | %s | %s %.2f | %s | %s |\n", g.row, g.measure, sign, g.bar, measured, g.verdict())
	}
	if missed > 0 {
		return errors.New("a goal is missed")
	}
	return nil
}
