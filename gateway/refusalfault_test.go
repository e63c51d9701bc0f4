package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/sandbox"
)

// The rows F16 and F17 of the fault table: credentials that AWS refuses, and who may not.

// attempts is how many requests the cloud's MCP servers got, refused ones too.
func (c *cloud) attempts() int {
	n := 0
	for _, counted := range []map[string]int{c.Ledger().Requests(), c.Ledger().Refused()} {
		for count := range maps.Values(counted) {
			n += count
		}
	}
	return n
}

// gated puts a hop in front of a route's server which holds the first so many requests until all are there.
func (c *cloud) gated(t *testing.T, n *network, route string, hold int) {
	t.Helper()
	r := c.routes[route]
	target, behind := r.Upstream, &http.Transport{DialContext: n.dial}
	t.Cleanup(behind.CloseIdleConnections)
	var arrived atomic.Int64
	open := make(chan struct{})
	upstream(t, n, "hop.test", func(w http.ResponseWriter, in *http.Request) {
		body, _ := io.ReadAll(in.Body)
		if arrived.Add(1) == int64(hold) {
			close(open)
		}
		<-open
		out := must(http.NewRequestWithContext(in.Context(), in.Method, target, strings.NewReader(string(body))))
		out.Header, out.Host = in.Header, in.Host // the signature is for this host
		response, err := behind.RoundTrip(out)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = response.Body.Close() }()
		maps.Copy(w.Header(), response.Header)
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	})
	r.Upstream, r.Limits.Calls, r.Limits.PerClient = "http://hop.test/mcp", max(r.Limits.Calls, hold), 0
	c.routes[route] = r
}

func TestFault_F16_AHundredRefusalsOfOneGenerationAreOneRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		slow := func(int) time.Duration { return time.Second }
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour, Delay: slow}, inMemory(t, n), "a")
		c.gated(t, n, "a", 100)
		b := witnessed(t, n, settings(c.routes), Options{})
		c.Revoke(held(t, b.bench, "a").Credentials.AccessKeyID)
		asked := c.sts.Asked()
		var calls sync.WaitGroup
		for i := range 100 {
			calls.Go(func() {
				if _, body := b.post(t, "a", toolCall(fmt.Sprint("call-", i), "echo", `"text":"x"`)); !isResult(body) {
					t.Error(body)
				}
			})
		}
		synctest.Wait()
		b.atOnce(t) // while they wait for the refresh
		calls.Wait()
		if got := c.sts.Asked() - asked; got != 1 {
			t.Errorf("STS was asked %d times for 100 refusals of one generation", got)
		}
		ledger := c.Ledger()
		if got := ledger.Refused()["UnrecognizedClientException"]; got != 100 || len(ledger.Calls()) != 100 || len(ledger.Twice()) != 0 {
			t.Errorf("%d refused at once, %d calls executed, twice %v; want 100, each once", got, len(ledger.Calls()), ledger.Twice())
		}
	})
}

// static puts long-lived keys of an identity into the environment.
func static(t *testing.T, c *sandbox.Sandbox, identity string) sandbox.Credentials {
	t.Helper()
	keys := c.IssueStatic(identity)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey, "AWS_SESSION_TOKEN": "",
	} {
		t.Setenv(name, value)
	}
	return keys
}

func TestFault_F16_CredentialsThatHaveNoOthersAreRefusedWithWhatToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{}, inMemory(t, n), "a")
		c.Revoke(static(t, c.Sandbox, "a").AccessKeyID)
		r := c.routes["a"]
		r.Profile = ""
		b := witnessed(t, n, settings(map[string]config.Route{"a": r}), Options{})
		_, body := b.post(t, "a", toolCall("x", "echo", `"text":"x"`))
		for _, words := range []string{`"code":-31011`, `"reason":"invalid_token"`, `"outcome":"rejected"`, `"retryable":false`,
			`"aws_error_type":"UnrecognizedClientException"`, "there are no others", "Run: aws sts get-caller-identity"} {
			if !strings.Contains(body, words) {
				t.Errorf("%s: want %s", body, words)
			}
		}
		b.atOnce(t)
		if got := c.attempts(); got != 1 {
			t.Errorf("%d attempts with the same credentials", got)
		}
	})
}

func TestFault_F16_ASourceThatHasNothingMoreSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var down time.Duration
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour, Delay: func(int) time.Duration { return down }}, inMemory(t, n), "a")
		b := witnessed(t, n, settings(c.routes), Options{})
		c.Revoke(held(t, b.bench, "a").Credentials.AccessKeyID)
		down = time.Hour
		b.atOnce(t)
		_, body := b.post(t, "a", toolCall("x", "echo", `"text":"x"`))
		for _, words := range []string{`"code":-31010`, `"reason":"sts_unreachable"`, `"outcome":"rejected"`, `"upstream_status":403`} {
			if !strings.Contains(body, words) {
				t.Errorf("%s: want %s", body, words)
			}
		}
	})
}

func TestFault_F16_WhatTheMCPServerOfAWSSaysOfATokenIsUnderstood(t *testing.T) {
	const session = `{"jsonrpc":"2.0","id":9007199254740993,"result":null,"error":{"code":-32001,"message":"Your AWS session token has expired. Please refresh your credentials and try again."}}`
	synctest.Test(t, func(t *testing.T) {
		b, sent := scripted(t, reply{401, "", session, 0}, reply{200, "", callAnswer, 0})
		b.atOnce(t)
		if _, body := b.post(t, "a", callBody); body != callAnswer || sent.Load() != 2 {
			t.Errorf("%d attempts: %s", sent.Load(), body)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b, sent := scripted(t, reply{401, "", session, 0})
		b.atOnce(t)
		response, body := b.post(t, "a", callBody)
		if response.StatusCode != 200 || body != session || sent.Load() != 2 {
			t.Errorf("%d attempts, %d %s: want the upstream's own message after one fresh try", sent.Load(), response.StatusCode, body)
		}
	})
}

func TestFault_F17_AccessDeniedIsNeitherRefreshedNorRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a", "b")
		r := c.routes["a"]
		r.Profile = "b"
		b := witnessed(t, n, settings(map[string]config.Route{"a": r}), Options{})
		held(t, b.bench, "a")
		asked := c.sts.Asked()
		b.atOnce(t)
		for i := range 3 {
			_, body := b.post(t, "a", toolCall(fmt.Sprint(i), "echo", `"text":"x"`))
			for _, words := range []string{`"code":-31011`, `"reason":"access_denied"`, c.Identity("b").ARN() + "signet-a", "may not svc-a:InvokeMcp", `"retryable":false`} {
				if !strings.Contains(body, words) {
					t.Errorf("%s: want %s", body, words)
				}
			}
			if low := strings.ToLower(body); strings.Contains(low, "refresh") || strings.Contains(low, "renew") || strings.Contains(low, "expired") {
				t.Errorf("%s: advice that does not help", body)
			}
		}
		if got := c.Ledger().Refused()["AccessDeniedException"]; got != 3 || c.sts.Asked() != asked {
			t.Errorf("3 calls: %d attempts, %d fetches; want 3 and none", got, c.sts.Asked()-asked)
		}
	})
}

func TestFault_F17_AnIdentityThatAWSDoesNotNameIsNamedByItsRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := scripted(t, reply{403, "ForbiddenException", `{"message":"Forbidden"}`, 0})
		b.atOnce(t)
		if _, body := b.post(t, "a", callBody); !strings.Contains(body, "AWS denied access: arn:aws:iam::111122223333:role/a may not do this") {
			t.Error(body)
		}
	})
}

// A reply is what an upstream says, with a clock that is so far ahead.
type reply struct {
	status     int
	kind, body string
	ahead      time.Duration
}

func (r reply) write(w http.ResponseWriter) {
	if r.kind != "" {
		w.Header().Set("X-Amzn-Errortype", r.kind)
	}
	w.Header().Set("Date", time.Now().Add(r.ahead).UTC().Format(http.TimeFormat))
	w.Header().Set("WWW-Authenticate", "Bearer")
	status(r.status, "application/json", r.body)(w, &http.Request{Body: http.NoBody})
}

// scripted is a bench with one signed route, "a", whose upstream gives these replies in turn and then the last
// one for ever, and how many it gave. Its source makes new keys each time.
func scripted(t *testing.T, replies ...reply) (*failing, *atomic.Int64) {
	t.Helper()
	n, sent := newNetwork(), new(atomic.Int64)
	c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
	r := c.routes["a"]
	r.Upstream = upstream(t, n, "up.test", func(w http.ResponseWriter, in *http.Request) {
		_, _ = io.Copy(io.Discard, in.Body)
		replies[min(int(sent.Add(1)), len(replies))-1].write(w)
	})
	return witnessed(t, n, settings(map[string]config.Route{"a": r}), Options{}), sent
}

func TestPitfall26_NoRefusalOfAWSReachesAClientAsItIs(t *testing.T) {
	const canary = "CANARY-of-AWS"
	for _, r := range []reply{
		{401, "InvalidSignatureException", `{"message":"` + canary + `"}`, 0},
		{401, "", `{"message":"` + canary + `"}`, 0},
		{401, "ExpiredTokenException", `{"message":"` + canary + `"}`, 0},
		{403, "ExpiredTokenException", `{"message":"` + canary + `"}`, 0},
		{403, "AccessDeniedException", `{"message":"` + canary + `"}`, time.Hour},
		{403, "", "<html>" + canary, 0},
		{403, "", `{"message":"Signature expired: ` + canary + `"}`, time.Hour},
		{400, "ThrottlingException", `{"message":"` + canary + `"}`, 0},
		{400, "UnrecognizedClientException", `{"message":"` + canary + `"}`, 0},
		{403, "", `{"message":"` + strings.Repeat(canary, maxNo) + `"}`, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			b, sent := scripted(t, r)
			response, body := b.post(t, "a", callBody)
			var got answered
			if err := json.Unmarshal([]byte(body), &got); err != nil || got.Error.Data.Source != "gateway" {
				t.Errorf("%+v: %v %s", r, err, body)
			}
			if response.StatusCode != 200 || response.Header.Get("WWW-Authenticate") != "" || strings.Contains(body, canary) {
				t.Errorf("%+v: %d %v %s", r, response.StatusCode, response.Header, body)
			}
			if sent.Load() > 2 {
				t.Errorf("%+v: %d attempts", r, sent.Load())
			}
		})
		synctest.Test(t, func(t *testing.T) { // a stream is held open, and nothing said on it
			b, sent := scripted(t, r)
			in := must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8484/a", nil))
			in.Header.Set("Accept", "text/event-stream")
			in.Header.Set("Mcp-Session-Id", "s1")
			response, err := b.client.Do(in)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			if response.StatusCode != 200 || response.Header.Get("WWW-Authenticate") != "" || sent.Load() > 2 {
				t.Errorf("%+v: %d %v, %d attempts", r, response.StatusCode, response.Header, sent.Load())
			}
			body := make([]byte, 3*len(comment))
			if _, err := io.ReadFull(response.Body, body); err != nil || string(body) != strings.Repeat(comment, 3) {
				t.Errorf("%+v: %v %q", r, err, body)
			}
		})
	}
}

func TestNoRefusalsMakeMoreThanTwoAttempts(t *testing.T) {
	refusals := map[string]reply{
		"stale":     {403, "ExpiredTokenException", `{}`, 0},
		"clock":     {403, "", `{"message":"Signature expired: x"}`, 10 * time.Minute},
		"signature": {403, "SignatureDoesNotMatch", `{}`, 0},
		"mismatch":  {403, "SignatureDoesNotMatch", `{}`, time.Hour},
		"denied":    {403, "AccessDeniedException", `{}`, -time.Hour},
	}
	for first, one := range refusals {
		for second, two := range refusals {
			synctest.Test(t, func(t *testing.T) {
				want := int64(2)
				if first == "signature" {
					want = 1 // the clock is right, and there are no newer credentials
				}
				b, sent := scripted(t, one, two, reply{200, "", callAnswer, 0})
				_, body := b.post(t, "a", callBody)
				if sent.Load() != want || !strings.Contains(body, `"code":-31011`) {
					t.Errorf("%s, then %s: %d attempts, %s", first, second, sent.Load(), body)
				}
			})
		}
	}
}

func TestASignatureIsMadeAnewOnlyWithNewerCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
		r := c.routes["a"]
		var b *bench
		var keys []string
		r.Upstream = upstream(t, n, "up.test", func(w http.ResponseWriter, in *http.Request) {
			_, _ = io.Copy(io.Discard, in.Body)
			keys = append(keys, in.Header.Get("X-Amz-Security-Token"))
			if len(keys) > 1 {
				answering(callAnswer)(w, in)
				return
			}
			b.gateway.current.Load().routes["a"].identity.cache.Invalidate(held(t, b, "a"))
			held(t, b, "a") // another call has brought newer ones meanwhile
			reply{403, "SignatureDoesNotMatch", `{}`, 0}.write(w)
		})
		b = newBench(t, n, settings(map[string]config.Route{"a": r}), Options{})
		if _, body := b.post(t, "a", callBody); body != callAnswer || len(keys) != 2 || keys[0] == keys[1] {
			t.Errorf("%d attempts: %s", len(keys), body)
		}
		if asked := c.sts.Asked(); asked != 2 {
			t.Errorf("STS was asked %d times: a signature is no reason to", asked)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b, _ := scripted(t, reply{403, "InvalidSignatureException", `{}`, 100 * time.Second})
		_, body := b.post(t, "a", callBody)
		if !strings.Contains(body, "check service and region (signed svc-a/eu-west-1) or the clock (100 s apart)") {
			t.Error(body)
		}
	})
}

func TestAHostOfAWSIsToldWhatItsNameSays(t *testing.T) {
	if got := hostSays(net.JoinHostPort("aws-mcp.us-east-1.api.aws", "443")); got != ", host says aws-mcp/us-east-1" {
		t.Error(got)
	}
}
