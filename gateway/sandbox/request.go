package sandbox

import (
	"bufio"
	"errors"
	"io"
	"net/http/httputil"
	"strconv"
	"strings"
)

const (
	maxHead = 256 << 10 // request line and headers
	maxBody = 64 << 20
)

// A request is one HTTP/1.1 request as it stood on the wire.
type request struct {
	method, target string
	fields         []field // in the order sent
	body           []byte
}

// A field is one header line.
type field struct{ name, value string }

// get is the value of the only header of that name, or "".
func (r *request) get(name string) string {
	if all := r.all(name); len(all) == 1 {
		return all[0]
	}
	return ""
}

// all are the values of the headers of that name.
func (r *request) all(name string) []string {
	var values []string
	for _, f := range r.fields {
		if strings.EqualFold(f.name, name) {
			values = append(values, f.value)
		}
	}
	return values
}

// readRequest reads the next request of a connection.
func readRequest(from *bufio.Reader) (*request, error) {
	left := maxHead
	line, err := readLine(from, &left)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(line, " ")
	if len(parts) != 3 || parts[2] != "HTTP/1.1" {
		return nil, errors.New("not an HTTP/1.1 request")
	}
	r := &request{method: parts[0], target: parts[1]}
	for {
		line, err := readLine(from, &left)
		if err != nil {
			return nil, err
		}
		if line == "" {
			break
		}
		if err := r.add(line); err != nil {
			return nil, err
		}
	}
	r.body, err = r.readBody(from)
	return r, err
}

// add takes a header line. One that begins with white space continues the line before.
func (r *request) add(line string) error {
	if line[0] == ' ' || line[0] == '\t' {
		if len(r.fields) == 0 {
			return errors.New("a continued line continues none")
		}
		last := &r.fields[len(r.fields)-1]
		last.value += " " + strings.Trim(line, " \t")
		return nil
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || name == "" || strings.ContainsAny(name, " \t") {
		return errors.New("not a header line")
	}
	r.fields = append(r.fields, field{name: name, value: strings.Trim(value, " \t")})
	return nil
}

func readLine(from *bufio.Reader, left *int) (string, error) {
	var line []byte
	for {
		part, err := from.ReadSlice('\n')
		line = append(line, part...)
		if *left -= len(part); *left < 0 {
			return "", errors.New("the head is too long")
		}
		if err == nil {
			return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
}

func (r *request) readBody(from *bufio.Reader) ([]byte, error) {
	if strings.EqualFold(r.get("Transfer-Encoding"), "chunked") {
		body, err := io.ReadAll(io.LimitReader(httputil.NewChunkedReader(from), maxBody))
		if err != nil {
			return nil, err
		}
		left := maxHead
		for { // trailers
			line, err := readLine(from, &left)
			if err != nil || line == "" {
				return body, err
			}
		}
	}
	length := r.get("Content-Length")
	if length == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 || n > maxBody {
		return nil, errors.New("bad Content-Length")
	}
	body := make([]byte, n)
	_, err = io.ReadFull(from, body)
	return body, err
}
