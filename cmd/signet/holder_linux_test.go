package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

func TestHolderOfAPortIsNamed(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		got := holderOf(l.Addr().String())
		if want := fmt.Sprintf("pid %d (", os.Getpid()); !strings.HasPrefix(got, want) {
			t.Errorf("holder of %s is %q, want %q...", l.Addr(), got, want)
		}
	}
}

func TestNobodyHoldsAFreePort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if got := holderOf(l.Addr().String()); got != "" {
		t.Errorf("holder %q of a port nobody listens on", got)
	}
}
