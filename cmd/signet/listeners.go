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
	"strings"
	"sync"
	"time"
)

// listeners are the sockets the gateway is served on. They follow the config: what is new is bound before
// a config is applied, what is gone stops accepting after, and is closed once its requests are done.
type listeners struct {
	// fixed at build
	log    *slog.Logger
	failed chan error // why a listener ended that nobody closed

	// guarded
	mu       sync.Mutex
	open     map[string]*listener // by the address as the config has it; under mu
	retiring sync.WaitGroup
}

func newListeners(log *slog.Logger) *listeners {
	return &listeners{log: log, failed: make(chan error, 1), open: map[string]*listener{}}
}

// A binding is a set of addresses of which the new ones are bound but not served yet. It ends with one
// commit or one discard.
type binding struct {
	listeners *listeners
	addresses []string
	bound     []*listener
}

// prepare binds the addresses that are not open. When one cannot be bound, none is.
func (ls *listeners) prepare(addresses []string) (*binding, error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	b := &binding{listeners: ls, addresses: addresses}
	for _, address := range addresses {
		if ls.open[address] != nil {
			continue
		}
		l, err := listen(address)
		if err != nil {
			b.discard()
			return nil, fmt.Errorf("listen %s: %w", address, err)
		}
		b.bound = append(b.bound, l)
	}
	return b, nil
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
	for _, l := range b.bound {
		ls.open[l.address] = l
		l.server = newServer(h, ls.log)
		go ls.serve(l)
	}
	for address, l := range ls.open {
		if !slices.Contains(b.addresses, address) {
			delete(ls.open, address)
			ls.retire(l, drain)
		}
	}
}

// serve ends when l is closed. Any other end is told to whoever runs the program.
func (ls *listeners) serve(l *listener) {
	err := l.server.Serve(l.Listener)
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return
	}
	select {
	case ls.failed <- fmt.Errorf("listen %s: %w", l.address, err):
	default: // one reason is enough
	}
}

// retire closes l at once to newcomers, and to its requests when they are done or drain is over.
func (ls *listeners) retire(l *listener, drain time.Duration) {
	_ = l.Close()
	l.release()
	ls.retiring.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		if l.server.Shutdown(ctx) != nil {
			_ = l.server.Close()
		}
	})
}

// close ends all listeners; requests that are still there get grace to end.
func (ls *listeners) close(grace time.Duration) {
	ls.mu.Lock()
	for _, l := range ls.open {
		ls.retire(l, grace)
	}
	clear(ls.open)
	ls.mu.Unlock()
	ls.retiring.Wait()
}

// urls are what the listeners are reached by, sorted: http://host:port, or unix:///path.
func (ls *listeners) urls() []string {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	var urls []string
	for _, address := range slices.Sorted(maps.Keys(ls.open)) {
		if strings.HasPrefix(address, unixScheme) {
			urls = append(urls, address)
			continue
		}
		urls = append(urls, "http://"+ls.open[address].Addr().String())
	}
	return urls
}
