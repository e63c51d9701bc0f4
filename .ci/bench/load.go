package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A target is where calls go.
type target struct {
	address, path string
	key           string // of the gateway; empty: it asks for none
}

// request is a message to the target, ready to be written.
func (t target) request(method string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: application/json, text/event-stream\r\n", method, t.path, t.address)
	fmt.Fprintf(&b, "Mcp-Session-Id: 8a6d3f0e5c1b4a7f9e2d\r\nMCP-Protocol-Version: 2025-11-25\r\n")
	if t.key != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", t.key)
	}
	if method == "POST" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// A caller has one connection to a target, and one call under way on it.
type caller struct {
	conn     net.Conn
	from     *bufio.Reader
	question []byte
	want     []byte // the answer, but for its id
	head     head
	got      []byte
}

func newCaller(t target, s shape) (*caller, error) {
	conn, err := net.Dial("tcp", t.address)
	if err != nil {
		return nil, err
	}
	return &caller{
		conn: conn, from: bufio.NewReaderSize(conn, 16<<10),
		question: t.request("POST", s.body()), want: answerOf(s.answer),
	}, nil
}

// call asks once and checks the whole answer.
func (c *caller) call(id int64) error {
	at := idIn(c.question)
	strconv.AppendInt(at[:0], firstID+id%(9*firstID), 10)
	if _, err := c.conn.Write(c.question); err != nil {
		return err
	}
	if err := readHead(c.from, &c.head); err != nil {
		return err
	}
	var err error
	if c.got, err = c.head.readBody(c.from, c.got); err != nil {
		return err
	}
	copy(idIn(c.want), at)
	if !bytes.HasPrefix(c.head.first, []byte("HTTP/1.1 200 ")) || !bytes.Equal(c.got, c.want) {
		return fmt.Errorf("%s: wrong answer to call %s: %.300s", c.head.first, at, c.got)
	}
	return nil
}

// A crew is callers who call one target at once.
type crew struct {
	callers []*caller
	ids     *atomic.Int64
}

// newCrew connects so many callers, each of whom has called once.
func newCrew(t target, s shape, n int, ids *atomic.Int64) (*crew, error) {
	c := &crew{ids: ids}
	for range n {
		one, err := newCaller(t, s)
		if err == nil {
			c.callers = append(c.callers, one)
			err = one.call(ids.Add(1))
		}
		if err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (c *crew) close() {
	for _, one := range c.callers {
		_ = one.conn.Close()
	}
}

// work lets all call until d is over, and returns how many calls there were. One that went wrong is an error.
func (c *crew) work(d time.Duration) (calls int64, err error) {
	var done atomic.Int64
	errs := make([]error, len(c.callers))
	end := time.Now().Add(d)
	var all sync.WaitGroup
	for i, one := range c.callers {
		all.Go(func() {
			for errs[i] == nil && time.Now().Before(end) {
				errs[i] = one.call(c.ids.Add(1))
				done.Add(1)
			}
		})
	}
	all.Wait()
	return done.Load(), errors.Join(errs...)
}
