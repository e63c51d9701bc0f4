package gateway

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"signet/config"
	"signet/gateway/bulkhead"
)

const listBody = `{"jsonrpc":"2.0","id":"list","method":"tools/list"}`

// A failing is a bench with a route, "r", to an upstream that fails, and one, "other", that has nothing to do with
// it. It belongs into a bubble, which fails the test when a goroutine is left.
type failing struct {
	*bench
	spans *tracetest.InMemoryExporter
	from  int // the spans before are of earlier calls
}

// newFailing starts a bench for a route to an upstream that fails.
func newFailing(t *testing.T, n *network, r config.Route) *failing {
	t.Helper()
	return witnessed(t, n, settings(map[string]config.Route{"r": secretive(t, r)}), Options{})
}

// secretive is an unsigned route that is signed with keys of the environment, and sends a key of its own along: so
// there is something to tell that nobody is to be told.
func secretive(t *testing.T, r config.Route) config.Route {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIACANARYOFTHEKEYS1", "AWS_SECRET_ACCESS_KEY": "CANARY-of-the-keys/secret", "AWS_SESSION_TOKEN": "CANARY-of-the-token",
		"AWS_PROFILE": "", "AWS_REGION": "", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	if r.UpstreamAuth == "none" {
		r.UpstreamAuth, r.Service, r.Region = "sigv4", "svc", "eu-west-1"
	}
	if r.Headers == nil {
		r.Headers = map[string]string{"X-Upstream-Key": upstreamKey}
	}
	return r
}

// atOnce fails unless the route "other" answers without any wait, and has nothing in common with the others.
func (b *bench) atOnce(t *testing.T) {
	t.Helper()
	routes, began := b.gateway.current.Load().routes, time.Now()
	other := routes["other"]
	if s := other.places.State(); s.Calls != (bulkhead.Use{}) {
		t.Errorf("another route: places are taken: %+v", s)
	}
	for name, rt := range routes {
		if name != "other" && (rt.pool == other.pool || rt.places == other.places || other.identity != nil && rt.identity == other.identity) {
			t.Errorf("route %s has a part of another", name)
		}
	}
	if _, body := b.post(t, "other", callBody); body != callAnswer || time.Since(began) != 0 {
		t.Errorf("another route: %q after %s", body, time.Since(began))
	}
	b.witness.mu.Lock()
	b.witness.beside++
	b.witness.mu.Unlock()
}

// A failure is how a call is to end.
type failure struct {
	code            int
	reason, outcome string
	retryable       bool
	took            time.Duration
}

// want sends a call and holds its end against what is wanted: the error, the time, one span of it, and that the
// other route notices nothing. It returns the whole answer.
func (f *failing) want(t *testing.T, body string, want failure) (answer string) {
	t.Helper()
	f.from = len(f.spans.GetSpans())
	began, done := time.Now(), make(chan struct{})
	var response *http.Response
	go func() {
		defer close(done)
		response, answer = f.post(t, "r", body)
	}()
	synctest.Wait()
	f.atOnce(t)
	<-done
	if took := time.Since(began); took != want.took {
		t.Errorf("it took %s, want %s", took, want.took)
	}
	last := answer[max(0, strings.LastIndex(answer, `{"jsonrpc"`)):]
	var got answered
	if err := json.Unmarshal([]byte(strings.TrimSpace(last)), &got); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	d := got.Error.Data
	if response.StatusCode != 200 || got.Error.Code != want.code || d.Reason != want.reason || d.Outcome != want.outcome || d.Retryable != want.retryable {
		t.Errorf("%d %s\nwant %+v", response.StatusCode, answer, want)
	}
	synctest.Wait()
	calls := 0
	for _, s := range f.spans.GetSpans()[f.from:] {
		line := told(s, "signet.route", "error.type", "signet.outcome")
		if !strings.HasPrefix(line, "server") || strings.Contains(line, "route=other") {
			continue
		}
		if calls++; !strings.HasSuffix(line, " Error signet.route=r error.type="+want.reason+" signet.outcome="+want.outcome) {
			t.Errorf("its span is %s", line)
		}
	}
	if calls != 1 {
		t.Errorf("%d spans of one call", calls)
	}
	return answer
}

// begun sends a call, and has it under way when it returns. The answer comes on the channel.
func (f *failing) begun(t *testing.T, body string) <-chan string {
	t.Helper()
	answers := make(chan string, 1)
	go func() {
		_, answer := f.post(t, "r", body)
		answers <- answer
	}()
	synctest.Wait()
	return answers
}

// attempts are the CLIENT spans of route r, in order, each with what is told of it.
func (f *failing) attempts(keys ...string) []string {
	synctest.Wait()
	var all []string
	for _, s := range f.spans.GetSpans()[f.from:] {
		if line := told(s, append([]string{"signet.route"}, keys...)...); strings.HasPrefix(line, "client") && strings.Contains(line, "signet.route=r") {
			_, after, _ := strings.Cut(line, "signet.route=r")
			all = append(all, strings.TrimSpace(after))
		}
	}
	return all
}

// A wire is a connection whose ends a test has in its hand.
type wire struct {
	net.Conn
	write func(p []byte) (int, error) // instead of writing
	read  func(p []byte) (int, error)
}

func (w *wire) Write(p []byte) (int, error) {
	if w.write != nil {
		return w.write(p)
	}
	return w.Conn.Write(p)
}

func (w *wire) Read(p []byte) (int, error) {
	if w.read != nil {
		return w.read(p)
	}
	return w.Conn.Read(p)
}

// stale has an address dialled so that each connection takes one request, and of the next nothing, or only the
// first bytes.
func stale(n *network, address string, first int) (stales *atomic.Int32) {
	stales = new(atomic.Int32)
	n.through(address, func(ctx context.Context, dial dialer) (net.Conn, error) {
		conn, err := dial(ctx, "", "")
		if err != nil {
			return nil, err
		}
		w, requests := &wire{Conn: conn}, 0
		w.write = func(p []byte) (int, error) {
			if requests++; requests == 1 {
				return conn.Write(p)
			}
			stales.Add(1)
			sent, _ := conn.Write(p[:first])
			_ = conn.Close()
			return sent, net.ErrClosed
		}
		return w, nil
	})
	return stales
}
