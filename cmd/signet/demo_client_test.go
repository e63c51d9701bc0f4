package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// demoServer answers every message with a content type and a body.
func demoServer(t *testing.T, contentType, body string) *demoClient {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	c := newDemoClient(s.URL, "key")
	t.Cleanup(c.close)
	return c
}

func TestDemoClientCountsOnlyAWholeAnswerToItsOwnCall(t *testing.T) {
	const sse = "text/event-stream"
	for _, c := range []struct {
		name, contentType, body string
		good                    bool
	}{
		{"json", "application/json", `{"id":"a-1","result":{"text":"a-1"}}`, true},
		{"stream", sse, "event: message\ndata: {\"method\":\"x\"}\n\ndata: {\"id\":\"a-1\",\"result\":\"a-1\"}\n\n", true},
		{"one event", sse, "data: {\"id\":\"a-1\",\"result\":\"a-1\"}\n\n", true},
		{"another's answer", "application/json", `{"id":"a-1","result":{"text":"b-1"}}`, false},
		{"another's id", "application/json", `{"id":"b-1","result":{"text":"a-1"}}`, false},
		{"an error", "application/json", `{"id":"a-1","error":{"code":-31001}}`, false},
		{"no result", "application/json", `{"id":"a-1"}`, false},
		{"no message", "text/html", `<p>sorry`, false},
		{"a stream without its end", sse, "data: {\"method\":\"x\"}\n\n", false},
	} {
		err := demoServer(t, c.contentType, c.body).echo(t.Context(), "a-1")
		if (err == nil) != c.good {
			t.Errorf("%s: %v, want it to pass: %v", c.name, err, c.good)
		}
	}
}

func TestDemoClientKeepsItsSessionAndItsKey(t *testing.T) {
	var seen []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Mcp-Session-Id")+" "+r.Header.Get("Authorization"))
		w.Header().Set("Mcp-Session-Id", "s1")
		_, _ = io.WriteString(w, `{"id":"init","result":{}}`)
	}))
	defer s.Close()
	c := newDemoClient(s.URL, "k")
	defer c.close()
	for range 2 {
		if err := c.initialize(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(seen, ","); got != " Bearer k,s1 Bearer k" {
		t.Errorf("headers %q", got)
	}
}
