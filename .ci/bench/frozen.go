package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// fillTime bounds how long it may take until the frozen route is full.
const fillTime = 10 * time.Second

// isolation is what is left of a route's throughput while another route of the gateway is frozen, with every
// place taken and callers that wait for one: taken within each round, then the median.
func isolation(s settings, ids *atomic.Int64, g *grounds, c *contestant) (float64, error) {
	free, held := newSeries(s, ids), newSeries(s, ids)
	for n := range s.rounds + 1 {
		alone, err := free.quietest(small(), c)
		if err != nil {
			return 0, err
		}
		thaw, err := freeze(g, c)
		if err != nil {
			return 0, err
		}
		beside, err := held.quietest(small(), c)
		thaw()
		if err != nil {
			return 0, fmt.Errorf("beside a frozen route: %w", err)
		}
		if n > 0 {
			free.scores[c.name] = append(free.scores[c.name], alone)
			held.scores[c.name] = append(held.scores[c.name], beside)
		}
	}
	ratios := held.each(c.name, rate)
	for i, alone := range free.each(c.name, rate) {
		ratios[i] /= alone
	}
	return median(ratios), nil
}

// freeze fills the frozen route with calls that are not answered, and with callers that wait behind them and
// try again when they are turned away, until thaw.
func freeze(g *grounds, c *contestant) (thaw func(), err error) {
	frozen := c.target
	frozen.path = "/frozen"
	var callers []*caller
	var all sync.WaitGroup
	thaw = func() {
		for _, one := range callers {
			_ = one.conn.Close()
		}
		all.Wait()
	}
	for range frozenCallers {
		one, err := newCaller(frozen, small())
		if err != nil {
			thaw()
			return nil, err
		}
		callers = append(callers, one)
		all.Go(one.insist)
	}
	for began := time.Now(); g.upstream.frozen.Load() != frozenCalls; time.Sleep(time.Millisecond) {
		if time.Since(began) > fillTime {
			thaw()
			return nil, fmt.Errorf("%d calls reached the frozen upstream, not %d", g.upstream.frozen.Load(), frozenCalls)
		}
	}
	return thaw, nil
}

// insist asks, whatever the answer, until the connection is closed.
func (c *caller) insist() {
	for {
		if _, err := c.conn.Write(c.question); err != nil {
			return
		}
		if err := readHead(c.from, &c.head); err != nil {
			return
		}
		var err error
		if c.got, err = c.head.readBody(c.from, c.got); err != nil {
			return
		}
	}
}
