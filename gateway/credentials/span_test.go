package credentials

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// A recorder is a Tracer that keeps what it is told.
type recorder struct {
	noop.Tracer
	mu    sync.Mutex
	spans []*recorded // under mu
}

type recorded struct {
	noop.Span
	name   string
	config trace.SpanConfig
	told   map[string]string
	status string
	ended  int
}

func (r *recorder) Start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	s := &recorded{name: name, config: trace.NewSpanStartConfig(o...), told: map[string]string{}}
	s.SetAttributes(s.config.Attributes()...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans = append(r.spans, s)
	return trace.ContextWithSpan(ctx, s), s
}

func (s *recorded) SetAttributes(kv ...attribute.KeyValue) {
	for _, a := range kv {
		s.told[string(a.Key)] = a.Value.String()
	}
}

func (s *recorded) SetStatus(code codes.Code, text string) { s.status = fmt.Sprint(code, " ", text) }
func (s *recorded) End(...trace.SpanEndOption)             { s.ended++ }

// caller is the context of a call that is traced.
func caller() (context.Context, trace.SpanContext) {
	call := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	return trace.ContextWithSpanContext(context.Background(), call), call
}

func TestOnlyAFetchHasASpanAndItIsNoCallsChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracer := &recorder{}
		parents := make(chan trace.SpanContext, 1)
		source := &script{fetch: func(ctx context.Context, n int64) (Fetched, error) {
			parents <- trace.SpanContextFromContext(ctx)
			return living(n, time.Hour), nil
		}}
		c := newCache(t, source, Options{Name: "docs", Tracer: tracer})
		ctx, call := caller()
		for range 10 {
			if _, err := c.Get(ctx, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if len(tracer.spans) != 1 {
			t.Fatalf("%d spans for one fetch and ten calls", len(tracer.spans))
		}
		s := tracer.spans[0]
		if s.name != "signet.credentials.fetch" || !s.config.NewRoot() || s.ended != 1 || s.status != "" {
			t.Errorf("%+v", s)
		}
		if links := s.config.Links(); len(links) != 1 || !links[0].SpanContext.Equal(call) {
			t.Errorf("linked to %+v", links)
		}
		if parent := <-parents; parent.Equal(call) {
			t.Error("the source works in the trace of the first caller")
		}
		if s.told["signet.route"] != "docs" || s.told["signet.credentials.generation"] != "1" || s.told["error.type"] != "" {
			t.Errorf("%v", s.told)
		}
	})
}

func TestASpanOfAFailureHasItsClassAndNoWordOfTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracer := &recorder{}
		source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
			if n == 1 {
				return Fetched{}, &Error{Reason: "process_failed", Message: "credential_process ended", Err: fmt.Errorf("SECRET-CANARY")}
			}
			return Fetched{}, fmt.Errorf("SECRET-CANARY")
		}}
		c := newCache(t, source, Options{Tracer: tracer})
		for range 2 {
			_, _, _ = get(c)
			<-time.After(2 * time.Second)
		}
		synctest.Wait()
		for i, want := range []string{"process_failed, Error credential_process ended", "no_credentials, Error the source of the credentials failed"} {
			s := tracer.spans[i]
			if got := s.told["error.type"] + ", " + s.status; got != want || len(s.config.Links()) != 0 || s.ended != 1 {
				t.Errorf("%s, want %s; links %v", got, want, s.config.Links())
			}
			if strings.Contains(fmt.Sprint(s.told, s.status), "CANARY") {
				t.Errorf("%v quotes the source", s.told)
			}
		}
	})
}

func TestAFetchThatIsMadeAgainHasASpanOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracer := &recorder{}
		observed := 0
		source := &script{fetch: func(context.Context, int64) (Fetched, error) {
			f := living(1, time.Hour)
			<-time.After(time.Second)
			return f, nil
		}}
		c := newCache(t, source, Options{Tracer: tracer, Observe: func(Refresh) { observed++ }})
		g, _, _ := get(c)
		<-time.After(time.Until(g.RefreshAt))
		_, _, _ = get(c)
		c.Invalidate(g)
		_, _, _ = get(c)
		synctest.Wait()
		if len(tracer.spans) != 3 || observed != 3 || source.asked.Load() != 3 {
			t.Errorf("%d spans, %d observed, asked %d times", len(tracer.spans), observed, source.asked.Load())
		}
	})
}
