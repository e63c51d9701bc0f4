package main

import (
	"bytes"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// settleTime is what a program is given to come to rest before its memory is read.
const settleTime = 2 * time.Second

// streamCost is what a program holds in RAM for each of n silent streams, in bytes.
func streamCost(s settings, ids *atomic.Int64, g *grounds, c *contestant) (float64, error) {
	warm, err := newCrew(c.target, small(), s.callers, ids)
	if err != nil {
		return 0, err
	}
	if _, err := warm.work(s.round); err != nil {
		return 0, err
	}
	warm.close()
	time.Sleep(settleTime)
	before, err := c.memory()
	if err != nil {
		return 0, err
	}
	t := c.target
	if t.key != "" {
		t.path = "/streams"
	}
	var conns []net.Conn
	defer func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	}()
	for range s.streams {
		conn, err := openStream(t)
		if err != nil {
			return 0, fmt.Errorf("%s, stream %d: %w", c.name, len(conns)+1, err)
		}
		conns = append(conns, conn)
	}
	time.Sleep(settleTime)
	if open := int(g.upstream.streams.Load()); open != s.streams {
		return 0, fmt.Errorf("%s: %d of %d streams are open", c.name, open, s.streams)
	}
	after, err := c.memory()
	return float64(after-before) / float64(s.streams), err
}

// openStream opens a stream and reads its first event.
func openStream(t target) (net.Conn, error) {
	conn, err := net.Dial("tcp", t.address)
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadDeadline(time.Now().Add(startTime))
	if _, err := conn.Write(t.request("GET", nil)); err != nil {
		return conn, err
	}
	var got []byte
	buffer := make([]byte, 4096)
	for !bytes.Contains(got, []byte(": open\n")) {
		n, err := conn.Read(buffer)
		if err != nil {
			return conn, fmt.Errorf("%w after %.300q", err, got)
		}
		got = append(got, buffer[:n]...)
	}
	return conn, nil
}
