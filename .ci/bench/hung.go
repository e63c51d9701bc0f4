package main

import (
	"net"
	"sync/atomic"
)

// hung are spans that go to a collector which takes connections and never says a word.
const hung = "hung"

// A silence is a collector that hangs.
type silence struct{ net.Listener }

// newSilence starts one, until it is closed: nobody accepts, but for the kernel.
func newSilence() (silence, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	return silence{l}, err
}

// hungGoals compare what a call costs while the collector hangs with what it costs while it does not, and with what
// it costs without spans.
func (g *grounds) hungGoals(s settings, ids *atomic.Int64) ([]goal, error) {
	var err error
	if g.silence, err = newSilence(); err != nil {
		return nil, err
	}
	var all []*contestant
	for _, spans := range []string{hung, sampled, off} {
		c, err := g.gateway(spans)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	in := newSeries(s, ids)
	if err := in.play(small(), all...); err != nil {
		return nil, err
	}
	one := func(measure, to string) goal {
		measured, _ := in.ratio("signet, spans "+hung, to, cost)
		return goal{row: "#7", measure: measure, bar: 1.05, measured: measured}
	}
	return []goal{
		one("CPU a call, collector hung / not", asShipped),
		one("CPU a call, collector hung / spans off", noSpans),
	}, nil
}
