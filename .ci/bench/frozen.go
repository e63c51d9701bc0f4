package main

import (
	"errors"
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
	s.rounds, s.round = 2*s.rounds, s.round/2 // throughput is the noisier figure
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

// freeze fills the frozen route until thaw, and returns when all its calls are under way and somebody has been
// turned away for want of room.
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
	turned := make(chan struct{}, 1)
	for range frozenCalls + frozenQueue + frozenSpare {
		one, err := newCaller(frozen, small())
		if err != nil {
			thaw()
			return nil, err
		}
		callers = append(callers, one)
		all.Go(func() { one.insist(turned) })
	}
	if err := g.filled(turned); err != nil {
		thaw()
		return nil, err
	}
	return thaw, nil
}

// filled waits until somebody was turned away and the upstream holds all calls that it may get.
func (g *grounds) filled(turned <-chan struct{}) error {
	late := time.After(fillTime)
	select {
	case <-turned:
	case <-late:
		return errors.New("nobody was turned away: the frozen route's queue is not full")
	}
	for g.upstream.frozen.Load() != frozenCalls {
		select {
		case <-late:
			return fmt.Errorf("%d calls reached the frozen upstream, not %d", g.upstream.frozen.Load(), frozenCalls)
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// insist asks until the connection is closed, ten times a second when it is turned away, and says so on turned.
func (c *caller) insist(turned chan<- struct{}) {
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
		select {
		case turned <- struct{}{}:
		default:
		}
		time.Sleep(100 * time.Millisecond)
	}
}
