package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"signet/gateway"
)

// A listener is one socket and the server of what comes in by it.
type listener struct {
	// fixed at build
	net.Listener
	address string
	server  *http.Server
	busy    busy
	release func() // gives up what kept others from the address

	// swapped
	terms atomic.Pointer[terms] // what new connections are taken on; nil for ever at a unix socket
}

// Accept takes a connection on the terms of this moment. So https begins, ends or gets another certificate
// without the socket being bound anew, and nobody is refused in between. While only the descriptors are left that
// connections are not to take, it fails as if there were none, and clients wait.
func (l *listener) Accept() (net.Conn, error) {
	if exhausted() {
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: syscall.EMFILE}
	}
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.terms.Load().take(c), nil
}

// exhausted reports whether the next descriptor is one of the last.
func exhausted() bool {
	f, err := os.Open(os.DevNull)
	if err != nil {
		return errors.Is(err, syscall.EMFILE)
	}
	defer func() { _ = f.Close() }()
	return gateway.Reserved(f.Fd())
}

// offer makes t the terms of those who connect from now on.
func (l *listener) offer(t *terms) {
	if !strings.HasPrefix(l.address, unixScheme) {
		l.terms.Store(t)
	}
}

// url is how l is reached: https://host:port, http://host:port or unix:///path.
func (l *listener) url() string {
	switch {
	case strings.HasPrefix(l.address, unixScheme):
		return l.address
	case l.terms.Load() != nil:
		return "https://" + l.Addr().String()
	}
	return "http://" + l.Addr().String()
}

// unixScheme is how the address of a unix socket begins; its path follows.
const unixScheme = "unix://"

func listen(address string) (*listener, error) {
	if path, ok := strings.CutPrefix(address, unixScheme); ok {
		l, release, err := listenUnix(path)
		if err != nil {
			return nil, err
		}
		return &listener{Listener: l, address: address, release: release}, nil
	}
	l, err := net.Listen("tcp", address)
	if addressInUse(err) {
		return nil, inUse(holderOf(address))
	}
	if err != nil {
		return nil, cause(err)
	}
	return &listener{Listener: l, address: address, release: func() {}}, nil
}

// cause is err without the words that net puts in front of it, which name the address again.
func cause(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op.Err
	}
	return err
}

// inUse says that a program holds the address already, and which if that is known.
func inUse(holder string) error {
	if holder == "" {
		return errAddressInUse
	}
	return fmt.Errorf("%w by %s", errAddressInUse, holder)
}

var errAddressInUse = errors.New("address in use")
