package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/credentials"
	"signet/gateway/envelope"
	"signet/gateway/sandbox"
)

// A tap is what was written to the connections of an address.
type tap struct {
	net.Conn
	to *written
}

// Written is it.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer // under mu
}

func (c tap) Write(p []byte) (int, error) {
	c.to.mu.Lock()
	c.to.text.Write(p)
	c.to.mu.Unlock()
	return c.Conn.Write(p)
}

// bodies are the bodies that were written, one a request.
func (w *written) bodies() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, part := range strings.Split(w.text.String(), "POST /")[1:] {
		_, body, _ := strings.Cut(part, "\r\n\r\n")
		all = append(all, body)
	}
	return all
}

// tapped records what is written to an address.
func tapped(n *network, address string) *written {
	w := &written{}
	n.through(address, func(ctx context.Context, d dialer) (net.Conn, error) {
		conn, err := d(ctx, "tcp", address)
		return tap{conn, w}, err
	})
	return w
}

func TestMetaIsSplicedBeforeTheSignatureAndTouchesNoOtherByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
		t.Setenv("AWS_DEFAULT_REGION", "sa-east-1")
		r := c.routes["a"]
		r.Meta, r.TraceMeta = map[string]string{"AWS_REGION": "auto", "com.example/team": `plat"form`}, true
		o, spans := traced()
		b := newBench(t, n, settings(map[string]config.Route{"a": r}), o)
		held(t, b, "a")
		<-time.After(time.Minute)
		c.Revoke(held(t, b, "a").Credentials.AccessKeyID) // so that it is sent twice
		wire := tapped(n, "a.test:80")

		const head = `{ "jsonrpc":"2.0","id":9007199254740993,"method":"tools/call", "params":{"name":"echo","arguments":{"text":"é\u00e9","n":1.0,"e":1e400,"big":9007199254740993,"d":1,"d":2}`
		body := head + `, "_meta" : { "team":"\u0061" } } }`
		_, answer := b.post(t, "a", body)
		if !isResult(answer) {
			t.Fatal(answer)
		}
		synctest.Wait()
		var want []string
		for _, s := range spans.GetSpans() {
			if told(s)[:6] == "client" {
				traceparent := fmt.Sprintf("00-%s-%s-01", s.SpanContext.TraceID(), s.SpanContext.SpanID())
				want = append(want, head+`, "_meta" : { "team":"\u0061","AWS_REGION":"sa-east-1","com.example/team":"plat\"form","traceparent":"`+traceparent+`" } } }`)
			}
		}
		if got := wire.bodies(); len(want) != 2 || !slices.Equal(got, want) {
			t.Errorf("sent\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// passedOn is what an upstream gets of a body on a route with the change.
func passedOn(t *testing.T, body string, o Options, change func(*config.Route)) (sent string, response *http.Response, answer string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		r := plain(upstream(t, n, "up.test", func(w http.ResponseWriter, r *http.Request) {
			all, _ := io.ReadAll(r.Body)
			if sent = string(all); r.ContentLength != int64(len(all)) {
				t.Errorf("Content-Length is %d of %d", r.ContentLength, len(all))
			}
			answering(callAnswer)(w, r)
		}))
		change(&r)
		b := newBench(t, n, settings(map[string]config.Route{"r": r}), o)
		response, answer = b.post(t, "r", body)
		if held := b.gateway.memory.Used(); held != 0 {
			t.Errorf("%d bytes are held after the call", held)
		}
	})
	return sent, response, answer
}

func TestMetaLeavesAloneWhatIsNotItsOwn(t *testing.T) {
	meta := func(r *config.Route) { r.Meta = map[string]string{"k": "v"} }
	for body, want := range map[string]string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`:                                `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"k":"v"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"k":1}}}`:              "",
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":7}}`:                    "",
		`[{"jsonrpc":"2.0","id":1,"method":"ping"}]`:                                    "",
		`{"jsonrpc":"2.0","id":1,"result":{}}`:                                          "",
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":1,"a":2,"b":{"_meta":{}}}}`: `{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":1,"a":2,"b":{"_meta":{}},"_meta":{"k":"v"}}}`,
	} {
		if want == "" {
			want = body
		}
		if got, _, answer := passedOn(t, body, Options{}, meta); got != want {
			t.Errorf("%s\nbecame %s\nwant %s\n%s", body, got, want, answer)
		}
	}
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{}},"params":{}}`, `{"jsonrpc":"2.0","id":1,"method":"x","params":{"_Meta":{}}}`,
	} {
		got, response, answer := passedOn(t, body, Options{}, meta)
		if got != "" || response.StatusCode != 400 || !strings.Contains(answer, "-32600") {
			t.Errorf("%s: sent %q, answered %d %s", body, got, response.StatusCode, answer)
		}
		if got, _, _ := passedOn(t, body, Options{}, func(*config.Route) {}); got != body {
			t.Errorf("without meta the upstream got %q of %s", got, body)
		}
	}
}

func TestTraceMetaReplacesTheCallersOwnAndNothingWithoutSpans(t *testing.T) {
	const parent, trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c"
	body := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"tracestate":"a=b","traceparent":"` + parent + `"}}}`
	on := func(r *config.Route) { r.TraceMeta = true }
	o, spans := traced()
	sent, _, _ := passedOn(t, body, o, on)
	client := spans.GetSpans()[0].SpanContext
	if want := strings.Replace(body, parent, fmt.Sprintf("00-%s-%s-01", trace, client.SpanID()), 1); sent != want {
		t.Errorf("sent %s\nwant %s", sent, want)
	}
	stale := strings.Replace(body, parent, "no traceparent", 1)
	if sent, _, _ := passedOn(t, stale, o, on); !strings.Contains(sent, `"tracestate":""`) {
		t.Errorf("another's tracestate stayed beside our traceparent: %s", sent)
	}
	if sent, _, _ := passedOn(t, body, Options{}, on); sent != body {
		t.Errorf("without spans it became %s", sent)
	}
	ambiguous := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"Params":{}}`
	if sent, _, _ := passedOn(t, ambiguous, o, on); sent != ambiguous {
		t.Errorf("an ambiguous message became %s", sent)
	}
}

func TestMetaRegionIsTheOneThatToolsWorkIn(t *testing.T) {
	for name, test := range map[string]struct {
		environment, profile, other string
		upstream, signed            string
		want                        string
	}{
		"the variable that wins":  {"sa-east-1", "ap-south-1", "us-west-2", "https://aws-mcp.eu-central-1.api.aws/mcp", "eu-central-1", "sa-east-1"},
		"the profile":             {"", "sa-east-1", "us-west-2", "https://aws-mcp.eu-central-1.api.aws/mcp", "eu-central-1", "sa-east-1"},
		"the other variable":      {"", "", "us-west-2", "https://aws-mcp.eu-central-1.api.aws/mcp", "eu-central-1", "us-west-2"},
		"the host":                {"", "", "", "https://aws-mcp.eu-central-1.api.aws/mcp", "us-east-1", "eu-central-1"},
		"what it is signed for":   {"", "", "", "https://mcp.example/mcp", "us-east-2", "us-east-2"},
		"nobody says, so nothing": {"", "", "", "https://mcp.example/mcp", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_DEFAULT_REGION", test.environment)
			t.Setenv("AWS_REGION", test.other)
			r := config.DefaultRoute()
			r.Upstream, r.Region, r.Meta = test.upstream, test.signed, map[string]string{"AWS_REGION": "auto", "mode": "auto"}
			g, err := New(settings(map[string]config.Route{"r": r}), Options{})
			if err != nil {
				t.Fatal(err)
			}
			rt := g.current.Load().routes["r"]
			if got := rt.workingRegion(generationIn(test.profile)); got != test.want {
				t.Errorf("it is %q, want %q", got, test.want)
			}
			want := 2
			if test.want == "" {
				want = 1
			}
			c := &call{route: rt, message: envelope.Message{}}
			if got := c.members(&attempt{generation: generationIn(test.profile)}); len(got) != want || string(got[want-1].Value) != `"auto"` {
				t.Errorf("members %v: auto means a region as AWS_REGION alone", got)
			}
		})
	}
}

func TestMetaNeedsMemoryForASecondBody(t *testing.T) {
	body := strings.Replace(callBody, `"slow"`, `"`+strings.Repeat("x", 100<<10)+`"`, 1)
	for memory, want := range map[config.Size]string{250 << 10: callAnswer, 150 << 10: `"reason":"memory"`} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			r := plain(upstream(t, n, "up.test", answering(callAnswer)))
			r.Meta = map[string]string{"k": "v"}
			cfg := settings(map[string]config.Route{"r": r})
			cfg.Memory = memory
			b := newBench(t, n, cfg, Options{})
			if _, answer := b.post(t, "r", body); !strings.Contains(answer, want) {
				t.Errorf("with %d: %s", memory, answer)
			}
			if held := b.gateway.memory.Used(); held != 0 {
				t.Errorf("%d bytes are held after the call", held)
			}
		})
	}
}

func TestReloadFollowsMetaAndForwardHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got string
		var header http.Header
		b := alone(t, func(w http.ResponseWriter, r *http.Request) {
			all, _ := io.ReadAll(r.Body)
			got, header = string(all), r.Header.Clone()
			answering(callAnswer)(w, r)
		}, nil)
		send := func() {
			r := request(t, "r", callBody)
			r.Header.Set("X-Trace", "1")
			r.Header.Set("X-Hop", "1")
			r.Header.Set("Connection", "x-hop, keep-alive")
			b.do(t, r)
		}
		send()
		if got != callBody || header.Get("X-Trace") != "" {
			t.Errorf("before: %s, X-Trace %q", got, header.Get("X-Trace"))
		}
		next := edited(b.gateway.current.Load().config, "r", func(r *config.Route) {
			r.Meta, r.ForwardHeaders = map[string]string{"k": "v"}, []string{"x-trace", "X-Hop"}
		})
		changes, err := b.gateway.Reload(t.Context(), next, nil)
		if err != nil || !slices.Equal(changes.Parts["r"], []string{partForwarding}) {
			t.Errorf("changes %+v, %v", changes, err)
		}
		send()
		if !strings.Contains(got, `"_meta":{"k":"v"}`) || header.Get("X-Trace") != "1" {
			t.Errorf("after: %s, X-Trace %q", got, header.Get("X-Trace"))
		}
		if header.Get("X-Hop") != "" {
			t.Error("a header for the next hop alone went further")
		}
	})
}

// generationIn is credentials of a profile with that region.
func generationIn(region string) *credentials.Generation {
	return &credentials.Generation{ProfileRegion: region}
}
