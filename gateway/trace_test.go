package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"signet/config"
	"signet/gateway/sandbox"
)

// traced is Options that record spans, and the spans.
func traced() (Options, *tracetest.InMemoryExporter) {
	exporter := tracetest.NewInMemoryExporter()
	return Options{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))}, exporter
}

// told is a span as "kind name status key=value ...", of the given keys.
func told(s tracetest.SpanStub, keys ...string) string {
	var line strings.Builder
	line.WriteString(fmt.Sprintf("%s %q %s", s.SpanKind, s.Name, s.Status.Code))
	for _, key := range keys {
		for _, a := range s.Attributes {
			if string(a.Key) == key {
				line.WriteString(fmt.Sprintf(" %s=%s", key, a.Value.String()))
			}
		}
	}
	return line.String()
}

func TestTraceOfACallTellsItsStory(t *testing.T) {
	const keys = "error.type rpc.response.status_code http.response.status_code signet.outcome signet.response.events"
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		body    string
		want    []string // client spans, then the server span
	}{
		"a result": {answering(callAnswer), callBody, []string{
			`client "tools/call slow" Unset http.response.status_code=200 signet.outcome=answered`, `server "tools/call slow" Unset signet.outcome=answered`}},
		"a tool's error": {answering(`{"jsonrpc":"2.0","id":9007199254740993,"result":{"isError":true}}`), callBody, []string{
			`client "tools/call slow" Error error.type=tool_error http.response.status_code=200 signet.outcome=answered`, `server "tools/call slow" Error error.type=tool_error signet.outcome=answered`}},
		"bad arguments": {answering(`{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":-32602,"message":"m"}}`), callBody, []string{
			`client "tools/call slow" Error error.type=-32602 rpc.response.status_code=-32602 http.response.status_code=200 signet.outcome=answered`,
			`server "tools/call slow" Unset error.type=-32602 rpc.response.status_code=-32602 signet.outcome=answered`}},
		"a stream": {func(w http.ResponseWriter, _ *http.Request) { events(w)(event(progress) + event(callAnswer)) }, callBody, []string{
			`client "tools/call slow" Unset http.response.status_code=200 signet.outcome=answered signet.response.events=2`,
			`server "tools/call slow" Unset signet.outcome=answered signet.response.events=2`}},
		"throttled": {status(429, "text/plain", ""), callBody, []string{
			`client "tools/call slow" Error error.type=upstream_throttled rpc.response.status_code=-31004 http.response.status_code=429 signet.outcome=rejected`,
			`server "tools/call slow" Error error.type=upstream_throttled rpc.response.status_code=-31004 signet.outcome=rejected`}},
		"a notification": {status(202, "", ""), `{"jsonrpc":"2.0","method":"notifications/initialized"}`, []string{
			`client "notifications/initialized" Unset http.response.status_code=202 signet.outcome=answered`, `server "notifications/initialized" Unset signet.outcome=answered`}},
		"a batch": {answering(`[{"jsonrpc":"2.0","id":1,"result":{}}]`), `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, []string{
			`client "batch" Unset http.response.status_code=200 signet.outcome=answered`, `server "batch" Unset signet.outcome=answered`}},
		"what parsers disagree about": {answering(`{"jsonrpc":"2.0","id":1,"result":{}}`), `{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping"}`, []string{
			`client "unknown" Unset http.response.status_code=200 signet.outcome=answered`, `server "unknown" Unset signet.outcome=answered`}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				o, spans := traced()
				b := newBench(t, n, settings(map[string]config.Route{"r": plain(upstream(t, n, "up.test", test.handler))}), o)
				b.post(t, "r", test.body)
				synctest.Wait()
				var got []string
				for _, s := range spans.GetSpans() {
					got = append(got, told(s, strings.Fields(keys)...))
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
				}
				if all := spans.GetSpans(); len(all) == 2 && all[0].Parent.SpanID() != all[1].SpanContext.SpanID() {
					t.Error("the CLIENT span is not below the SERVER span")
				}
			})
		})
	}
}

func TestTraceGoesOnFromTheClientToTheUpstream(t *testing.T) {
	const byMeta, byHeader = "00-11111111111111111111111111111111-1111111111111111-01", "00-22222222222222222222222222222222-2222222222222222-01"
	for name, test := range map[string]struct{ meta, header, trace string }{
		"by _meta": {byMeta, "", byMeta[3:35]}, "by header": {"", byHeader, byHeader[3:35]}, "by both": {byMeta, byHeader, byMeta[3:35]},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				o, spans := traced()
				var sent string
				b := newBench(t, n, settings(map[string]config.Route{"r": plain(upstream(t, n, "up.test", func(w http.ResponseWriter, r *http.Request) {
					sent = r.Header.Get("Traceparent")
					answering(callAnswer)(w, r)
				}))}), o)
				r := request(t, "r", strings.Replace(callBody, `"name"`, fmt.Sprintf(`"_meta":{"traceparent":%q},"name"`, test.meta), 1))
				r.Header.Set("traceparent", test.header)
				r.Header.Set("baggage", "secret=1")
				b.do(t, r)
				synctest.Wait()
				client := spans.GetSpans()[0].SpanContext
				if want := fmt.Sprintf("00-%s-%s-01", test.trace, client.SpanID()); sent != want {
					t.Errorf("the upstream was told %q, want %q", sent, want)
				}
			})
		})
	}
}

func TestTraceShowsAFetchOnlyWhenThereWasOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Delay: func(int) time.Duration { return time.Second }}, inMemory(t, n), "a")
		o, spans := traced()
		b := newBench(t, n, settings(c.routes), o)
		for i := range 3 {
			if _, body := b.post(t, "a", toolCall(fmt.Sprint(i), "echo", `"text":"x"`)); !isResult(body) {
				t.Fatal(body)
			}
		}
		synctest.Wait()
		var fetches []tracetest.SpanStub
		names := map[string]int{}
		for _, s := range spans.GetSpans() {
			names[s.SpanKind.String()+" "+s.Name]++
			if s.Name == "signet.credentials.fetch" {
				fetches = append(fetches, s)
			}
		}
		if len(fetches) != 1 || names["server tools/call echo"] != 3 || names["client tools/call echo"] != 3 || names["internal signet.credentials.wait"] != 1 || len(names) != 4 {
			t.Fatalf("spans %v", names)
		}
		fetch := fetches[0]
		if fetch.Parent.IsValid() || len(fetch.Links) != 1 || fetch.EndTime.Sub(fetch.StartTime) != time.Second {
			t.Errorf("the fetch took %s, parent %v, links %d: want 1 s, linked to the call and nobody's child",
				fetch.EndTime.Sub(fetch.StartTime), fetch.Parent.IsValid(), len(fetch.Links))
		}
	})
}

func TestTraceTellsAsWhomARequestLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
		o, spans := traced()
		b := newBench(t, n, settings(c.routes), o)
		held(t, b, "a")
		<-time.After(90 * time.Second)
		c.Revoke(held(t, b, "a").Credentials.AccessKeyID)
		if _, body := b.post(t, "a", toolCall("x", "echo", `"text":"x"`)); !isResult(body) {
			t.Fatal(body)
		}
		synctest.Wait()
		var got []string
		for _, s := range spans.GetSpans() {
			if line := told(s, "signet.attempt", "error.type", "signet.retry.reason", "signet.credentials.source", "signet.credentials.generation",
				"signet.credentials.account", "signet.credentials.role", "signet.credentials.age_seconds"); strings.HasPrefix(line, "client") {
				got = append(got, line)
			}
		}
		whose := fmt.Sprintf("signet.credentials.account=%s signet.credentials.role=%s", c.Identity("a").Account, c.Identity("a").RoleARN)
		want := []string{
			`client "tools/call echo" Error signet.attempt=1 error.type=invalid_token signet.credentials.source=profile "a" signet.credentials.generation=1 ` + whose + " signet.credentials.age_seconds=90",
			`client "tools/call echo" Unset signet.attempt=2 signet.retry.reason=invalid_token signet.credentials.source=profile "a" signet.credentials.generation=2 ` + whose + " signet.credentials.age_seconds=0",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestTraceHoldsNoArgumentsAndNoSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{}, inMemory(t, n), "a")
		o, spans := traced()
		b := newBench(t, n, settings(c.routes), o)
		r := request(t, "a", toolCall("x", "echo", `"text":"CANARY"`))
		r.Header.Set("Mcp-Param-Text", "CANARY")
		r.Header.Set("Authorization", "Bearer CANARY")
		b.do(t, r)
		g, err := b.gateway.current.Load().routes["a"].identity.cache.Get(t.Context(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		all := fmt.Sprintf("%+v", spans.GetSpans())
		for _, secret := range []string{"CANARY", g.Credentials.AccessKeyID, g.Credentials.SecretAccessKey, g.Credentials.SessionToken} {
			if strings.Contains(all, secret) {
				t.Errorf("%.8s... stands in a span", secret)
			}
		}
		if !strings.Contains(all, "signet.credentials.key_id") || !strings.Contains(all, g.Credentials.AccessKeyID[len(g.Credentials.AccessKeyID)-4:]) {
			t.Error("no span tells keys apart")
		}
	})
}

func TestTraceIDStandsInTheError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		o, spans := traced()
		b := newBench(t, n, settings(map[string]config.Route{"r": plain("http://nowhere.test/mcp")}), o)
		_, body := b.post(t, "r", callBody)
		synctest.Wait()
		id := spans.GetSpans()[0].SpanContext.TraceID()
		if !id.IsValid() || !strings.Contains(body, fmt.Sprintf(`"trace_id":"%s"`, id)) {
			t.Errorf("%s: want trace %s", body, id)
		}
	})
}

func TestTraceOfAClientThatLeftIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		o, spans := traced()
		started := make(chan struct{})
		b := newBench(t, n, settings(map[string]config.Route{"r": plain(upstream(t, n, "up.test", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			close(started)
			<-r.Context().Done()
		}))}), o)
		ctx, leave := context.WithCancel(t.Context())
		r := request(t, "r", callBody).WithContext(ctx)
		go func() { _, _ = b.client.Do(r) }()
		<-started
		leave()
		synctest.Wait()
		for _, s := range spans.GetSpans() {
			if line := told(s, "error.type", "signet.outcome"); !strings.HasSuffix(line, " Unset signet.outcome=client_cancelled") {
				t.Error(line)
			}
		}
		if spans.GetSpans()[1].SpanKind != trace.SpanKindServer {
			t.Error("there is no SERVER span")
		}
	})
}

func TestAnAnswerThatIsCutOffEndsItsSpans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		o, spans := traced()
		b := newBench(t, n, settings(map[string]config.Route{"r": plain(upstream(t, n, "up.test", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(4*maxHeld))
			_, _ = w.Write(make([]byte, 2*maxHeld)) // and no more: the connection ends
		}))}), o)
		response, err := b.client.Do(request(t, "r", callBody))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, response.Body); err == nil {
			t.Errorf("%d bytes that look whole", n)
		}
		_ = response.Body.Close()
		synctest.Wait()
		var kinds []string
		for _, s := range spans.GetSpans() {
			kinds = append(kinds, told(s, "error.type"))
		}
		want := []string{`client "tools/call slow" Error error.type=truncated`, `server "tools/call slow" Error error.type=truncated`}
		if !slices.Equal(kinds, want) {
			t.Errorf("spans %q, want %q", kinds, want)
		}
	})
}
