package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// A head is the first line and the fields of a request or a response. It is only valid until the next is read.
type head struct {
	first  []byte
	fields []field
	length int // of the body
}

// A field is one header field.
type field struct{ name, value []byte }

// readHead reads one, into what h has. It takes no more of HTTP/1.1 than the programs measured here send.
func readHead(from *bufio.Reader, h *head) error {
	h.fields, h.length = h.fields[:0], 0
	h.first = h.first[:0]
	for n := 0; ; n++ {
		line, err := from.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case n == 0:
			h.first = append(h.first, line...)
			continue
		case len(line) == 0:
			return nil
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return fmt.Errorf("no header field: %q", line)
		}
		value = bytes.TrimSpace(value)
		h.add(name, value)
		if len(name) == len("Content-Length") && bytes.EqualFold(name, []byte("Content-Length")) {
			if h.length, err = strconv.Atoi(string(value)); err != nil || h.length < 0 {
				return fmt.Errorf("no length: %q", line)
			}
		}
	}
}

// add keeps a field, in the memory of the one that stood there before.
func (h *head) add(name, value []byte) {
	if len(h.fields) < cap(h.fields) {
		h.fields = h.fields[:len(h.fields)+1]
	} else {
		h.fields = append(h.fields, field{})
	}
	f := &h.fields[len(h.fields)-1]
	f.name, f.value = append(f.name[:0], name...), append(f.value[:0], value...)
}

// get is the value of a field, or nil.
func (h *head) get(name string) []byte {
	for _, f := range h.fields {
		if bytes.EqualFold(f.name, []byte(name)) {
			return f.value
		}
	}
	return nil
}

// readBody reads the head's body into what buffer has room for, or into more.
func (h *head) readBody(from *bufio.Reader, buffer []byte) ([]byte, error) {
	if h.get("Transfer-Encoding") != nil {
		return nil, errors.New("a body of unknown length")
	}
	if cap(buffer) < h.length {
		buffer = make([]byte, h.length)
	}
	buffer = buffer[:h.length]
	_, err := io.ReadFull(from, buffer)
	return buffer, err
}
