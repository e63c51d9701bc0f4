package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"signet/config"
)

// A witness stands by while a row of the fault table is played, and says in the end what every row is held to: a
// call on another route waited for nothing meanwhile, each call has the one span that its answer speaks of, nobody
// was told a secret, and nothing is left. That no goroutine is, its bubble says.
type witness struct {
	// fixed when it begins
	bench *bench
	spans *tracetest.InMemoryExporter
	log   *guarded
	next  http.RoundTripper
	files int // that the process had open

	// guarded
	mu      sync.Mutex
	calls   map[string]int  // by route and how they ended; under mu
	cut     map[string]int  // by route: answers that broke off, of which no word says why; under mu
	secrets map[string]bool // under mu
	answers bytes.Buffer    // under mu
	beside  int             // calls of another route meanwhile; under mu
}

// bearer is what a client of a row shows and nobody else is to see, upstreamKey what only the upstream is.
const (
	bearer      = "CANARY-of-a-client"
	upstreamKey = "CANARY-of-the-upstream"
)

// witnessed is newBench with a witness, for a config in which a route "other" is added.
func witnessed(t *testing.T, n *network, cfg *config.Config, o Options) *failing {
	t.Helper()
	recording, spans := traced()
	w := &witness{
		spans: spans, log: new(guarded), files: openFiles(t),
		calls: map[string]int{}, cut: map[string]int{}, secrets: map[string]bool{bearer: true, upstreamKey: true},
	}
	o.TracerProvider = recording.TracerProvider
	o.Logger = slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg.Routes = maps.Clone(cfg.Routes)
	cfg.Routes["other"] = plain(upstream(t, n, "other.test", answering(callAnswer)))
	b := newBench(t, n, cfg, o)
	b.witness, w.bench, w.next = w, b, b.client.Transport
	b.client.Transport = w
	t.Cleanup(func() {
		synctest.Wait()
		for _, problem := range w.problems(t) {
			t.Error(problem)
		}
	})
	return &failing{bench: b, spans: spans}
}

// openFiles is how many files the process has open, and 0 where no directory says so.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// RoundTrip sends a client's request, and listens to the answer.
func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	w.note()
	sent := r.Clone(r.Context())
	if sent.Header.Get("Authorization") == "" {
		sent.Header.Set("Authorization", "Bearer "+bearer)
	}
	route := strings.TrimPrefix(r.URL.Path, "/")
	if strings.HasPrefix(route, "-/") {
		return w.next.RoundTrip(r)
	}
	response, err := w.next.RoundTrip(sent)
	if err != nil {
		w.ended(route, "client_cancelled")
		return nil, err
	}
	response.Body = &overheard{ReadCloser: response.Body, witness: w, route: route, request: sent, status: response.StatusCode}
	return response, nil
}

// An overheard answer is read by the client and, whole or as far as that comes, by a witness.
type overheard struct {
	io.ReadCloser
	witness *witness
	route   string
	request *http.Request
	status  int
	said    bytes.Buffer
	done    bool
}

func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	o.said.Write(p[:n])
	if err == nil || o.done {
		return n, err
	}
	o.done = true
	switch {
	case err == io.EOF:
		o.witness.heard(o.route, o.request.Method, o.status, o.said.String())
	case o.request.Context().Err() != nil:
		o.witness.ended(o.route, "client_cancelled")
	default:
		o.witness.mu.Lock()
		o.witness.cut[o.route]++
		o.witness.mu.Unlock()
	}
	return n, err
}

func (o *overheard) Close() error {
	if !o.done {
		o.done = true
		o.witness.ended(o.route, "client_cancelled")
	}
	return o.ReadCloser.Close()
}

// heard notes the answer to a call.
func (w *witness) heard(route, method string, status int, answer string) {
	w.mu.Lock()
	w.answers.WriteString(answer)
	w.mu.Unlock()
	if end, called := endOf(method, status, answer); called {
		w.ended(route, end)
	}
}

// ended notes how a call ended: by an error.type, "client_cancelled", or "" when it did not fail.
func (w *witness) ended(route, how string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[route+" "+how]++
}

// endOf is the error.type that an answer tells of. It is of no call when the request was turned away at the door:
// before there is a message there is nothing to have a span.
func endOf(method string, status int, answer string) (end string, called bool) {
	var got answered
	last := answer[max(0, strings.LastIndex(answer, `{"jsonrpc"`)):]
	if json.Unmarshal([]byte(strings.TrimSpace(last)), &got) != nil {
		return "", status < 400 // or it is what net/http says of bytes that are no request
	}
	switch {
	case got.Error.Data.Reason == "memory" && got.Error.Data.Outcome == notSent:
		return "", false // of its body nothing was held but the id
	case got.Error.Data.Source == "gateway":
		return got.Error.Data.Reason, status == http.StatusOK || method != http.MethodPost
	case got.Error.Code != 0:
		return strconv.Itoa(got.Error.Code), true
	case strings.Contains(last, `"isError":true`):
		return "tool_error", true
	}
	return "", true
}

// note keeps in mind what the routes sign with now.
func (w *witness) note() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, rt := range w.bench.gateway.current.Load().routes {
		if rt.identity == nil || !rt.identity.cache.Ready(time.Now()) {
			continue
		}
		if g, err := rt.identity.cache.Get(context.Background(), time.Now()); err == nil {
			for _, secret := range []string{g.Credentials.AccessKeyID, g.Credentials.SecretAccessKey, g.Credentials.SessionToken} {
				w.secrets[secret] = secret != ""
			}
		}
	}
}

// problems are what a row is not to show.
func (w *witness) problems(t *testing.T) (all []string) {
	t.Helper()
	w.note()
	if problem := w.alone(t.Name()); problem != "" {
		all = append(all, problem)
	}
	if got := w.endings(); !maps.Equal(got, w.calls) && !w.brokeOff(got) {
		all = append(all, fmt.Sprintf("the spans tell of calls that ended so: %v; the answers: %v", got, w.calls))
	}
	status, err := json.Marshal(w.bench.gateway.Status())
	if err != nil {
		all = append(all, err.Error())
	}
	for where, text := range map[string]string{
		"an answer": w.answers.String(), "the status": string(status), "the spans": spelledOut(w.spans.GetSpans()), "the log": string(w.log.bytes()),
	} {
		for secret, is := range w.secrets {
			if i := strings.Index(text, secret); is && i >= 0 {
				all = append(all, fmt.Sprintf("a secret is in %s: %s", where, text[max(0, i-100):min(len(text), i+100)]))
			}
		}
	}
	for name, rt := range w.bench.gateway.current.Load().routes {
		if n := rt.flight.count(); n != 0 {
			all = append(all, fmt.Sprintf("%d calls are still under way on %s", n, name))
		}
	}
	if now := openFiles(t); now > w.files {
		all = append(all, fmt.Sprintf("%d files are open, %d were before", now, w.files))
	}
	slices.Sort(all)
	return all
}

// spelledOut is all that spans say.
func spelledOut(spans tracetest.SpanStubs) string {
	var text strings.Builder
	for _, s := range spans {
		fmt.Fprintln(&text, s.Name, s.Status.Description, s.Events, s.Links)
		for _, a := range s.Attributes {
			text.WriteString(string(a.Key) + " " + a.Value.String() + "\n")
		}
	}
	return text.String()
}

// alone is what is wrong with a row during which nobody called another route.
func (w *witness) alone(test string) string {
	if w.beside > 0 || !strings.HasPrefix(test, "TestFault_") {
		return ""
	}
	return "no call was made on another route meanwhile"
}

// endings is how many SERVER spans tell of which end, by route.
func (w *witness) endings() map[string]int {
	n := map[string]int{}
	for _, s := range w.spans.GetSpans() {
		if s.SpanKind.String() != "server" {
			continue
		}
		of := map[string]string{}
		for _, a := range s.Attributes {
			of[string(a.Key)] = a.Value.String()
		}
		end := of["error.type"]
		if of["signet.outcome"] == "client_cancelled" {
			end += of["signet.outcome"]
		}
		n[of["signet.route"]+" "+end]++
	}
	return n
}

// brokeOff reports whether the spans tell of just as many failures more as there are answers that broke off.
func (w *witness) brokeOff(got map[string]int) bool {
	more := map[string]int{}
	for key, n := range got {
		route, how, _ := strings.Cut(key, " ")
		if n -= w.calls[key]; n != 0 {
			more[route] += n
		}
		if n < 0 || n > 0 && how == "" {
			return false
		}
	}
	for key := range w.calls {
		if got[key] == 0 {
			return false
		}
	}
	return maps.Equal(more, w.cut)
}
