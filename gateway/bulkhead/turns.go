package bulkhead

import (
	"fmt"
	"time"
)

// What the lane decides. All of it is called under its mu.

// maxIdle is how many forgotten clients a lane keeps to use again.
const maxIdle = 64

// admit lets in everybody who may go, in turn. If it is the rate alone that holds up the next one, the timer
// comes back when there is something left of it.
func (l *lane) admit() {
	for w, s := l.next(); w != nil; w, s = l.next() {
		if !l.bucket.take() {
			l.wake(l.bucket.after(1))
			return
		}
		w.seat = s
		w.ahead = l.admitted - w.ahead
		l.line.serve(w)
		l.sit(s)
		l.forget(w.client) // if that seat is beside the budget and nothing else of it waits
		close(w.decided)
	}
	if l.timer != nil {
		l.timer.Stop()
	}
}

// next is who goes next and where it sits, or nil if nobody in the line can use what is free.
func (l *lane) next() (*waiter, seat) {
	if l.running >= l.budget.places && (l.line.light == 0 || l.light >= l.extra) {
		return nil, seat{}
	}
	for e := l.line.turns.Front(); e != nil; e = e.Next() {
		c := e.Value.(*client)
		w := c.first()
		if s, free := l.free(c, w.light); free {
			return w, s
		}
	}
	return nil, seat{}
}

// free is a seat that c may have now.
func (l *lane) free(c *client, light bool) (seat, bool) {
	if l.running < l.budget.places && (l.budget.perClient <= 0 || c.running < l.budget.perClient) {
		return seat{client: c}, true
	}
	return seat{}, light && l.light < l.extra
}

// sit takes a seat.
func (l *lane) sit(s seat) {
	l.admitted++
	if s.client == nil {
		l.light++
		return
	}
	l.running++
	s.client.running++
}

// rise leaves a seat to whoever is next.
func (l *lane) rise(s seat) {
	if s.client == nil {
		l.light--
	} else {
		l.running--
		s.client.running--
		l.forget(s.client)
	}
	l.admit()
}

// crowded is why another call of c cannot wait, or nil. In a full line, the client with the most calls
// gives up its last for one that has at least two fewer.
func (l *lane) crowded(c *client) *Shed {
	if l.bucket.after(c.waiting()+1) > l.budget.wait {
		return l.bucket.shed(c.waiting() + 1)
	}
	if l.budget.wait <= 0 || l.budget.line <= 0 {
		return l.full()
	}
	if l.line.length < l.budget.line {
		return nil
	}
	longest := l.line.longest()
	if longest.waiting() < c.waiting()+2 {
		return l.full()
	}
	l.shed(longest.last(), l.full())
	return nil
}

// full says that there is no room in the line. By the time to retry, whoever waits now has gone.
func (l *lane) full() *Shed {
	return &Shed{
		Reason: QueueFull, RetryAfter: l.budget.wait,
		Message: fmt.Sprintf("%d of %d %s are under way and %d wait, as many as may",
			l.running, l.budget.places, l.noun, l.line.length),
	}
}

// shed turns w away.
func (l *lane) shed(w *waiter, why *Shed) {
	l.sheds[why.Reason]++
	l.dismiss(w, why)
}

// dismiss takes w out of the line without a seat.
func (l *lane) dismiss(w *waiter, why *Shed) {
	w.shed = why
	w.ahead = l.admitted - w.ahead
	l.line.leave(w)
	l.forget(w.client)
	close(w.decided)
}

// wake sets the timer.
func (l *lane) wake(after time.Duration) {
	if l.timer != nil {
		l.timer.Reset(after)
		return
	}
	l.timer = time.AfterFunc(after, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.admit()
	})
}

// client is the named client's part, made if it has none.
func (l *lane) client(name string) *client {
	if c := l.clients[name]; c != nil {
		return c
	}
	var c *client
	if last := len(l.idle) - 1; last >= 0 {
		c, l.idle = l.idle[last], l.idle[:last]
	} else {
		c = &client{}
	}
	c.name = name
	l.clients[name] = c
	return c
}

// forget drops c if it has no place and waits for none. Once dropped it is nobody's, and may be dropped again.
func (l *lane) forget(c *client) {
	if c.running > 0 || c.waiting() > 0 || l.clients[c.name] != c {
		return
	}
	delete(l.clients, c.name)
	if len(l.idle) < maxIdle {
		l.idle = append(l.idle, c)
	}
}
