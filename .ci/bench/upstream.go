package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
)

// An upstream answers calls as an MCP server does, and costs next to nothing. What comes by /signed must be
// signed for it. What comes by /frozen is never answered, nor is a GET once its stream has begun.
type upstream struct {
	net.Listener
	verifier verifier
	frozen   atomic.Int64 // calls that wait for an answer
	streams  atomic.Int64 // that are open
}

func newUpstream(v verifier) (*upstream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{Listener: l, verifier: v}
	go u.serve()
	return u, nil
}

func (u *upstream) serve() {
	for {
		conn, err := u.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			_ = u.converse(conn) // a client that leaves is its own matter
		}()
	}
}

// converse answers one call after the other.
func (u *upstream) converse(conn net.Conn) error {
	from := bufio.NewReaderSize(conn, 16<<10)
	var h head
	var body, out []byte
	answers := map[int][]byte{}
	for {
		if err := readHead(from, &h); err != nil {
			return err
		}
		var err error
		if body, err = h.readBody(from, body); err != nil {
			return err
		}
		switch {
		case bytes.HasPrefix(h.first, []byte("GET ")):
			return u.stream(conn, from)
		case bytes.Contains(h.first, []byte(" /frozen ")):
			return hold(from, &u.frozen)
		}
		status, answer := "200 OK", u.answer(answers, &h, body)
		if answer == nil {
			status, answer = "403 Forbidden", []byte(`{"message":"not signed for this upstream"}`)
		}
		out = fmt.Appendf(out[:0], "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", status, len(answer))
		if _, err := conn.Write(append(out, answer...)); err != nil {
			return err
		}
	}
}

// answer is the answer to a call, or nil if it may not be answered. Those already made are in answers, by length.
func (u *upstream) answer(answers map[int][]byte, h *head, body []byte) []byte {
	if bytes.Contains(h.first, []byte(" /signed ")) && !u.verifier.verify(h, body) {
		return nil
	}
	id, length := idIn(body), lengthIn(body)
	if id == nil || length < 0 {
		return nil
	}
	if answers[length] == nil {
		answers[length] = answerOf(length)
	}
	copy(idIn(answers[length]), id)
	return answers[length]
}

// stream begins an event stream and leaves it silent.
func (u *upstream) stream(conn net.Conn, from io.Reader) error {
	comment := ": open\n\n"
	_, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(comment), comment)
	if err != nil {
		return err
	}
	return hold(from, &u.streams)
}

// hold counts a caller for as long as it stays.
func hold(from io.Reader, count *atomic.Int64) error {
	count.Add(1)
	defer count.Add(-1)
	_, err := io.Copy(io.Discard, from)
	return err
}

// url is where the upstream is.
func (u *upstream) url(path string) string {
	return "http://" + u.Addr().String() + "/" + strings.TrimPrefix(path, "/")
}
