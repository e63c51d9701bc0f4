package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"signet/config"
)

// listeners are the sockets the gateway is served on. They follow the config: what is new is bound before
// a config is applied, what is gone stops accepting after, and is closed once its requests are done.
type listeners struct {
	// fixed at build
	log    *slog.Logger
	failed chan error // why a listener ended that nobody closed
	last   context.Context
	end    context.CancelFunc // ends last: nobody waits for a request any more

	// guarded
	mu       sync.Mutex
	open     map[string]*listener // by the address as the config has it; under mu
	terms    *terms               // of the TCP ones; under mu
	retiring sync.WaitGroup
	cut      atomic.Int64 // connections that were busy at the end of last
}

func newListeners(log *slog.Logger) *listeners {
	ls := &listeners{log: log, failed: make(chan error, 1), open: map[string]*listener{}}
	ls.last, ls.end = context.WithCancel(context.Background())
	return ls
}

// A binding is a set of addresses of which the new ones are bound but not served yet. It ends with one
// commit or one discard.
type binding struct {
	listeners *listeners
	addresses []string
	terms     *terms
	bound     []*listener
}

// prepare binds the addresses that are not open, and makes what TCP connections are taken on. When one cannot
// be bound, none is.
func (ls *listeners) prepare(addresses []string, secure config.ListenTLS) (*binding, error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	terms, err := newTerms(secure, ls.terms)
	if err != nil {
		return nil, err
	}
	b := &binding{listeners: ls, addresses: spelledOut(addresses), terms: terms}
	for _, address := range addresses {
		if err := b.bind(loopbacks(address)); err != nil {
			b.discard()
			return nil, fmt.Errorf("listen %s: %w", address, err)
		}
	}
	return b, nil
}

// bind binds those of the addresses that are not open. One that this machine does not have is left out, unless
// it has none of them.
func (b *binding) bind(addresses []string) error {
	var missing []string
	var last error
	for _, address := range addresses {
		if b.listeners.open[address] != nil || slices.ContainsFunc(b.bound, func(l *listener) bool { return l.address == address }) {
			continue
		}
		l, err := listen(address)
		switch {
		case err == nil:
			b.bound = append(b.bound, l)
		case !noSuchAddress(err):
			return err
		default:
			missing, last = append(missing, address), err
		}
	}
	if len(missing) == len(addresses) {
		return last
	}
	for _, address := range missing {
		b.listeners.log.Warn("an address of localhost is not served, for this machine has none", "address", address)
	}
	return nil
}

// discard closes what was bound.
func (b *binding) discard() {
	for _, l := range b.bound {
		_ = l.Close()
		l.release()
	}
}

// commit serves h on what was bound, and lets the listeners that are no longer wanted end: their requests
// may take until drain is over.
func (b *binding) commit(h http.Handler, drain time.Duration) {
	ls := b.listeners
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.terms = b.terms
	for address, l := range ls.open {
		if slices.Contains(b.addresses, address) {
			l.offer(b.terms)
			continue
		}
		delete(ls.open, address) // and its terms stay: it may be public, and those that follow plain http
		ctx, cancel := context.WithTimeout(ls.last, drain)
		ls.retire(l, ctx, cancel)
	}
	for _, l := range b.bound {
		ls.open[l.address] = l
		l.offer(b.terms)
		l.server = newServer(newcomersOnly(l.terms.Load, h), ls.log)
		l.server.ConnContext, l.server.ConnState = remember, l.busy.note
		go ls.serve(l)
	}
}

// serve ends when l is closed. Any other end is told to whoever runs the program.
func (ls *listeners) serve(l *listener) {
	err := l.server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return
	}
	select {
	case ls.failed <- fmt.Errorf("listen %s: %w", l.address, err):
	default: // one reason is enough
	}
}

// retire closes l at once to newcomers, and to its requests when they are done or ctx ends. It calls done then.
func (ls *listeners) retire(l *listener, ctx context.Context, done func()) {
	_ = l.Close()
	l.release()
	ls.retiring.Go(func() {
		defer done()
		if l.server.Shutdown(ctx) == nil {
			return
		}
		cut := l.busy.count()
		if ls.last.Err() != nil {
			ls.cut.Add(int64(cut))
		} else if cut > 0 {
			ls.log.Warn("a removed listener is closed before its calls had a last word", "address", l.address, "connections", cut)
		}
		_ = l.server.Close()
	})
}

// refuse closes all listeners to newcomers. Who is connected may go on calling.
func (ls *listeners) refuse() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, l := range ls.open {
		_ = l.Close()
	}
}

// close ends all listeners, those removed before too; requests that are still there get grace to end. It returns on
// how many connections they did not.
func (ls *listeners) close(grace time.Duration) (cut int64) {
	ls.mu.Lock()
	for _, l := range ls.open {
		ls.retire(l, ls.last, func() {})
	}
	clear(ls.open)
	ls.mu.Unlock()
	defer time.AfterFunc(grace, ls.end).Stop()
	ls.retiring.Wait()
	return ls.cut.Load()
}

// urls are what the listeners are reached by, sorted by their addresses.
func (ls *listeners) urls() []string {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	var urls []string
	for _, address := range slices.Sorted(maps.Keys(ls.open)) {
		urls = append(urls, ls.open[address].url())
	}
	return urls
}
