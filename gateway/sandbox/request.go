package sandbox

import (
	"bufio"
	"errors"
	"io"
	"net/http"
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

// readRequest reads the next request of a connection. A request that is none is a *malformed.
func readRequest(from *bufio.Reader) (*request, error) {
	left := maxHead
	line, err := readLine(from, &left)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(line, " ")
	if len(parts) != 3 || !token(parts[0]) || parts[1] == "" || parts[2] != "HTTP/1.1" {
		return nil, bad("not an HTTP/1.1 request")
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
			return bad("a continued line continues none")
		}
		last := &r.fields[len(r.fields)-1]
		last.value += " " + strings.Trim(line, " \t")
		return nil
	}
	name, value, ok := strings.Cut(line, ":")
	control := func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }
	if !ok || !token(name) || strings.ContainsFunc(value, control) {
		return bad("not a header line")
	}
	r.fields = append(r.fields, field{name: name, value: strings.Trim(value, " \t")})
	return nil
}

// token reports whether s is one or more of the letters that HTTP has names of.
func token(s string) bool {
	other := func(c rune) bool {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	}
	return s != "" && !strings.ContainsFunc(s, other)
}

func readLine(from *bufio.Reader, left *int) (string, error) {
	var line []byte
	for {
		part, err := from.ReadSlice('\n')
		line = append(line, part...)
		if *left -= len(part); *left < 0 {
			return "", &malformed{status: http.StatusRequestHeaderFieldsTooLarge, what: "the head is too long"}
		}
		if err == nil {
			return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
}

// readBody reads what follows the head. A head that says it in two ways is refused: whoever stood before
// may have believed the other.
func (r *request) readBody(from *bufio.Reader) ([]byte, error) {
	lengths, codings := r.all("Content-Length"), r.all("Transfer-Encoding")
	switch {
	case len(lengths)+len(codings) > 1:
		return nil, bad("the length of the body is there twice")
	case len(codings) == 1 && !strings.EqualFold(codings[0], "chunked"):
		return nil, &malformed{status: http.StatusNotImplemented, what: "a transfer coding that is not chunked"}
	case len(codings) == 1:
		return readChunked(from)
	case len(lengths) == 0:
		return nil, nil
	}
	n, err := strconv.ParseUint(lengths[0], 10, 63)
	if err != nil {
		return nil, bad("a Content-Length that is no number")
	}
	if n > maxBody {
		return nil, tooLong()
	}
	body := make([]byte, n)
	_, err = io.ReadFull(from, body)
	return body, err
}

func readChunked(from *bufio.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(httputil.NewChunkedReader(from), maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, tooLong()
	}
	left := maxHead
	for { // trailers
		line, err := readLine(from, &left)
		if err != nil || line == "" {
			return body, err
		}
	}
}
