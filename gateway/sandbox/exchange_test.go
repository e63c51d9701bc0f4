package sandbox

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// newNoon is a clock that shows noon now, and goes on.
func newNoon() func() time.Time {
	began := time.Now()
	return func() time.Time { return noon().Add(time.Since(began)) }
}

// exchangeRaw sends bytes as they are and reads one answer.
func exchangeRaw(t *testing.T, url, wire string) (int, http.Header, string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return over(t, conn, wire)
}

// over sends bytes over a connection and reads one answer.
func over(t *testing.T, conn net.Conn, wire string) (int, http.Header, string) {
	t.Helper()
	if _, err := io.WriteString(conn, wire); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

// parse reads JSON, with no key that v does not have.
func parse(t *testing.T, text string, v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// registered fails the test unless the sandbox knows a set as that identity's, as a whole.
func registered(t *testing.T, s *Sandbox, identity, key, secret, token string) Credentials {
	t.Helper()
	set, ok := s.key(key)
	if !ok || set.SecretAccessKey != secret || set.SessionToken != token || set.Identity != identity {
		t.Fatalf("%s of %s is not registered: %+v", key, identity, set)
	}
	return set.Credentials
}
