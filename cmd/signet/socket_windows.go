package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// addressInUse reports whether err says that another socket has the address.
func addressInUse(err error) bool { return errors.Is(err, errWSAEADDRINUSE) }

// errWSAEADDRINUSE is what Windows calls it; package syscall has another number under the Unix name.
const errWSAEADDRINUSE = syscall.Errno(10048)

// noSuchAddress reports whether err says that this machine does not have the address.
func noSuchAddress(err error) bool {
	return errors.Is(err, errWSAEADDRNOTAVAIL) || errors.Is(err, errWSAEAFNOSUPPORT)
}

// What Windows calls them.
const (
	errWSAEADDRNOTAVAIL = syscall.Errno(10049)
	errWSAEAFNOSUPPORT  = syscall.Errno(10047)
)

// listenUnix says what Windows lacks: a socket file that only its owner may use.
func listenUnix(string) (l net.Listener, release func(), err error) {
	return nil, nil, fmt.Errorf("unix sockets on Windows: %w", errors.ErrUnsupported)
}

func privateDir(string) error {
	return fmt.Errorf("on Windows: %w", errors.ErrUnsupported)
}
