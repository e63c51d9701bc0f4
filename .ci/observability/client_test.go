package observability

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// post sends a body to a route. It is answered with what the gateway says.
func (s *stage) post(ctx context.Context, route, body string, headers ...string) string {
	response, err := s.send(ctx, http.MethodPost, route, body, headers...)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", response.StatusCode, text)
}

// send sends a request as clients do, with names and values of more headers.
func (s *stage) send(ctx context.Context, method, route, body string, headers ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.url+"/"+route, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return http.DefaultClient.Do(r)
}

// call calls a tool, with the canary as its argument.
func (s *stage) call(ctx context.Context, route, tool string, headers ...string) string {
	return s.post(ctx, route, called(tool, ""), headers...)
}

// called is a call of a tool. Meta is what stands in its _meta; empty: it has none.
func called(tool, meta string) string {
	if meta != "" {
		meta = fmt.Sprintf(`,"_meta":{%s}`, meta)
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":%q,"arguments":{"text":%q}%s}}`, tool, argument, meta)
}

// want calls a tool and compares what the answer has in it.
func (s *stage) want(route, tool, part string) {
	s.t.Helper()
	if got := s.call(s.t.Context(), route, tool); !strings.Contains(got, part) {
		s.t.Errorf("%s of %s: %s, want %s in it", tool, route, got, part)
	}
}

// scrape is what /-/metrics says.
func (s *stage) scrape() string {
	s.t.Helper()
	response, err := s.send(s.t.Context(), http.MethodGet, "-/metrics", "")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("metrics: %d %v\n%s", response.StatusCode, err, text)
	}
	return string(text)
}

// value is the value of a series in a scrape, by its name and the labels as they stand there. Empty: it has none.
func value(scrape, series string) string {
	lines := bufio.NewScanner(strings.NewReader(scrape))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), series+" "); ok {
			return rest
		}
	}
	return ""
}
