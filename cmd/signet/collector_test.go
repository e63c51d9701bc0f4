package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// A collector takes what is exported by OTLP over HTTP.
type collector struct {
	*httptest.Server
	arrived chan struct{} // gets a value whenever something does

	mu  sync.Mutex
	got map[string][]byte // all bodies by path; under mu
}

// newCollector starts one that answers 200, until the test ends.
func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{got: map[string][]byte{}, arrived: make(chan struct{}, 1000)}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// ServeHTTP keeps what it is sent.
func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		if unzipped, err := gzip.NewReader(r.Body); err == nil {
			body = unzipped
		}
	}
	text, _ := io.ReadAll(body)
	c.mu.Lock()
	c.got[r.URL.Path] = append(c.got[r.URL.Path], text...)
	c.mu.Unlock()
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// has reports whether words have arrived in what was sent to a path.
func (c *collector) has(path, words string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Contains(c.got[path], []byte(words))
}

// await waits until words have arrived.
func (c *collector) await(t *testing.T, path, words string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !c.has(path, words) {
		select {
		case <-c.arrived:
		case <-deadline:
			t.Fatalf("no %q has come to %s", words, path)
		}
	}
}

// all is what has arrived.
func (c *collector) all() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, body := range c.got {
		b.Write(body)
	}
	return b.String()
}

// Where signals arrive.
const (
	toTraces  = "/v1/traces"
	toMetrics = "/v1/metrics"
	toLogs    = "/v1/logs"
)
