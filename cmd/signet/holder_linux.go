package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// holderOf is the process that listens on the port of a TCP address: "pid 4711 (nginx)". Empty when the
// system does not tell, as with another user's processes.
func holderOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	number, err := net.LookupPort("tcp", port)
	if err != nil {
		return ""
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		for _, inode := range listeningInodes(table, number) {
			if pid := ownerOf(inode); pid != "" {
				return processName(pid)
			}
		}
	}
	return ""
}

// listeningInodes are the sockets of a table of /proc/net that listen on port.
func listeningInodes(table string, port int) []string {
	const state, listening, local, inode = 3, "0A", 1, 9
	text, err := os.ReadFile(table)
	if err != nil {
		return nil
	}
	var inodes []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) <= inode || fields[state] != listening {
			continue
		}
		_, hexPort, _ := strings.Cut(fields[local], ":")
		if n, err := strconv.ParseUint(hexPort, 16, 16); err == nil && int(n) == port {
			inodes = append(inodes, fields[inode])
		}
	}
	return inodes
}

// ownerOf is the id of a process that has the socket open. Empty: none that we may look at.
func ownerOf(inode string) string {
	descriptors, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, fd := range descriptors {
		if target, err := os.Readlink(fd); err == nil && target == "socket:["+inode+"]" {
			return strings.Split(fd, "/")[2]
		}
	}
	return ""
}

// processName is "pid 4711 (nginx)", without the name when it is not to be had, and empty for no pid.
func processName(pid string) string {
	if _, err := strconv.Atoi(pid); err != nil {
		return ""
	}
	name, err := os.ReadFile("/proc/" + pid + "/comm")
	if err != nil {
		return "pid " + pid
	}
	return "pid " + pid + " (" + strings.TrimSpace(string(name)) + ")"
}
