package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// A listener is one socket and the server of what comes in by it.
type listener struct {
	net.Listener
	address string
	server  *http.Server
	release func() // gives up what kept others from the address
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
