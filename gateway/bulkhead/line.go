package bulkhead

import "container/list"

// A line is the calls that wait for one budget. The clients in it take turns; of one client the light calls
// go first, and otherwise whoever came first. Leaving it costs the same from everywhere.
type line struct {
	turns  list.List // of *client, those who have a call waiting; whose turn is next is in front
	length int
	light  int
}

// A client is one client's part of a budget, for as long as it has a place or waits for one.
type client struct {
	name         string
	running      int           // its places of the budget
	light, calls list.List     // of *waiter
	turn         *list.Element // in line.turns; nil: nothing waits
}

// A waiter is a call in the line.
type waiter struct {
	// fixed when it comes
	client   *client
	light    bool
	position int
	decided  chan struct{} // closed when it has a seat or is shed

	// under the lane's mu until then
	spot  *list.Element // in one of the client's lists; nil: it has left
	ahead uint64        // how many were let in before it came; once decided, since it came
	seat  seat
	shed  *Shed
}

// queue is the list of w's client that w belongs in.
func (w *waiter) queue() *list.List {
	if w.light {
		return &w.client.light
	}
	return &w.client.calls
}

// waiting is how many calls of c wait.
func (c *client) waiting() int { return c.light.Len() + c.calls.Len() }

// first is the call of c to go next; one waits.
func (c *client) first() *waiter {
	e := c.light.Front()
	if e == nil {
		e = c.calls.Front()
	}
	return e.Value.(*waiter)
}

// last is the call of c to give up first; one waits.
func (c *client) last() *waiter {
	e := c.calls.Back()
	if e == nil {
		e = c.light.Back()
	}
	return e.Value.(*waiter)
}

// join puts w at the end of its client's calls, and a client that had none waiting behind all others.
func (l *line) join(w *waiter) {
	w.spot = w.queue().PushBack(w)
	if w.client.turn == nil {
		w.client.turn = l.turns.PushBack(w.client)
	}
	l.count(w, 1)
}

// leave takes w out. Its client keeps its turn for what else it has waiting.
func (l *line) leave(w *waiter) {
	w.queue().Remove(w.spot)
	w.spot = nil
	if w.client.waiting() == 0 {
		l.turns.Remove(w.client.turn)
		w.client.turn = nil
	}
	l.count(w, -1)
}

// serve takes w out, and the turn of its client is over.
func (l *line) serve(w *waiter) {
	l.leave(w)
	if w.client.turn != nil {
		l.turns.MoveToBack(w.client.turn)
	}
}

func (l *line) count(w *waiter, n int) {
	l.length += n
	if w.light {
		l.light += n
	}
}

// longest is the client with the most calls waiting; one waits.
func (l *line) longest() *client {
	var longest *client
	for e := l.turns.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*client); longest == nil || c.waiting() > longest.waiting() {
			longest = c
		}
	}
	return longest
}
