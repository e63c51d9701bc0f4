package main

import (
	"net"
	"slices"
	"strings"
)

// spelledOut are addresses in the place of which localhost stands for both loopback addresses: some clients
// try the one first, some the other.
func spelledOut(addresses []string) []string {
	var all []string
	for _, address := range addresses {
		for _, one := range loopbacks(address) {
			if !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
	}
	return all
}

// loopbacks are the two addresses that localhost:port stands for, or just the address given.
func loopbacks(address string) []string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || strings.HasPrefix(address, unixScheme) || !strings.EqualFold(host, "localhost") {
		return []string{address}
	}
	return []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
}
