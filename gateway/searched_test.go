package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"signet/gateway/sandbox"
)

// forbidden is what nobody is told in any test, as it stands in a text: arguments and results of tools as callBody and
// callAnswer have them, the secrets of hostile sources and of the sandbox, and whole ids of access keys. Empty: nothing.
// It looks at all that every test tells, so that a regular expression would take most of the tests' time.
func forbidden(text string) string {
	for _, secret := range []string{"ArGuMeNt7f3a", "ReSuLt7f3a", canary, sandbox.SecretMark} {
		if strings.Contains(text, secret) {
			return secret
		}
	}
	for _, kind := range []string{"AKIA", "ASIA"} {
		for rest, found := text, true; found; {
			if _, rest, found = strings.Cut(rest, kind); found && len(rest) >= 16 && strings.IndexFunc(rest[:16], notOfAKeyID) < 0 {
				return kind + rest[:16]
			}
		}
	}
	return ""
}

func notOfAKeyID(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }

// A search looks through all that gateways of a test tell: each span, log line and number, and the status.
type search struct {
	mu    sync.Mutex
	found []string // under mu
	told  int      // under mu
}

// searched has o tell a search as well, whose findings fail the test. What was not told before still is not sent
// anywhere: only its log is wider.
func searched(t *testing.T, o Options) Options {
	t.Helper()
	s := new(search)
	mine := slog.NewJSONHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug})
	if o.Logger == nil {
		o.Logger = slog.New(mine)
	} else {
		o.Logger = slog.New(slog.NewMultiHandler(o.Logger.Handler(), mine))
	}
	if provider, ok := o.TracerProvider.(*sdktrace.TracerProvider); ok {
		provider.RegisterSpanProcessor(sdktrace.NewSimpleSpanProcessor(s))
	}
	reader := sdkmetric.NewManualReader()
	if o.MeterProvider == nil {
		o.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	}
	t.Cleanup(func() {
		var all metricdata.ResourceMetrics
		if err := reader.Collect(context.Background(), &all); err == nil {
			s.look("the metrics", fmt.Sprintf("%+v", all))
		}
		for _, what := range s.findings() {
			t.Error(what)
		}
	})
	return o
}

func (s *search) look(where, text string) {
	secret := forbidden(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told++
	if secret != "" {
		at := strings.Index(text, secret)
		s.found = append(s.found, fmt.Sprintf("%s is told in %s: %q", secret, where, text[max(0, at-100):min(len(text), at+len(secret)+50)]))
	}
}

func (s *search) findings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.found)
}

// Write looks through a line of the log.
func (s *search) Write(line []byte) (int, error) {
	s.look("the log", string(line))
	return len(line), nil
}

// ExportSpans looks through spans.
func (s *search) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, span := range spans {
		var text strings.Builder
		text.WriteString(fmt.Sprint(span.Name(), span.Status(), span.Events(), span.Links()))
		for _, a := range span.Attributes() {
			text.WriteString(fmt.Sprint(" ", a.Key, "=", a.Value.String()))
		}
		s.look("a span", text.String())
	}
	return nil
}

// Shutdown does nothing.
func (s *search) Shutdown(context.Context) error { return nil }

// The control: it finds each of them wherever it is told, and nothing in what a gateway rightly tells.
func TestASearchFindsWhatNobodyIsToBeTold(t *testing.T) {
	key := sandbox.New(sandbox.Options{}).IssueStatic("x")
	for _, secret := range []string{"ArGuMeNt7f3a", "ReSuLt7f3a", canary, key.SecretAccessKey, key.AccessKeyID} {
		s := new(search)
		tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(s)).Tracer("x")
		_, span := tracer.Start(t.Context(), "a")
		span.SetAttributes(attribute.String("k", secret))
		span.End()
		_, span = tracer.Start(t.Context(), secret)
		span.End()
		slog.New(slog.NewJSONHandler(s, nil)).Info("line", "k", secret)
		if n := len(s.findings()); n != 3 {
			t.Errorf("%s was found %d times, want 3", secret, n)
		}
	}
	s := new(search)
	s.look("an id with its middle left out", "AKIA…1234 tools/call")
	if s.told != 1 || len(s.findings()) != 0 {
		t.Errorf("%q", s.found)
	}
}

// A status is JSON, and holds none of it either.
func TestAStatusHoldsNoSecret(t *testing.T) {
	c := newCloud(t, sandbox.STSOptions{}, nil, "a")
	f := overTCP(t, settings(c.routes))
	response, err := f.Do(f.newRequest(t.Context(), "a", toolCall("1", "echo", `"text":"ArGuMeNt7f3a"`)))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	text, err := json.Marshal(f.gateway.Status())
	s := new(search)
	s.look("the status", string(text))
	if err != nil || len(s.findings()) != 0 {
		t.Errorf("%v %q", err, s.found)
	}
}

var _ sdktrace.SpanExporter = (*search)(nil)
