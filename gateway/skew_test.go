package gateway

import (
	"encoding/json"
	"fmt"
	"io"
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

// Row F18 of the fault table, and pitfalls 27 and 28: clocks that differ, and a cloud that takes nothing.

// skewed is a bench whose cloud is ahead of this machine by what ahead says, with one route that has
// long-lived keys.
func skewed(t *testing.T, ahead func() time.Duration) (*failing, *cloud) {
	t.Helper()
	n := newNetwork()
	c := &cloud{Sandbox: sandbox.New(sandbox.Options{Now: func() time.Time { return time.Now().Add(ahead()) }})}
	t.Cleanup(c.Close)
	static(t, c.Sandbox, "a")
	r := config.DefaultRoute()
	r.Service, r.Region, r.Profile = "svc-a", "eu-west-1", ""
	r.Upstream = inMemory(t, n)("a", c.MCP(sandbox.MCPOptions{Name: "a", Service: r.Service, Region: r.Region})) + "/mcp"
	c.routes = map[string]config.Route{"a": r}
	return witnessed(t, n, settings(c.routes), Options{}), c
}

// call calls the sandbox's tool and reports how many requests that took.
func (c *cloud) call(t *testing.T, b *failing, id string) int {
	t.Helper()
	b.atOnce(t)
	before := c.attempts()
	if _, body := b.post(t, "a", toolCall(id, "echo", `"text":"x"`)); !isResult(body) {
		t.Errorf("call %s: %s", id, body)
	}
	return c.attempts() - before
}

// skew is what the status says of the only route's clock.
func (b *bench) skew(t *testing.T) float64 {
	t.Helper()
	_, body := b.page(t, "/-/status")
	var s Status
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatal(err)
	}
	return s.Routes[0].ClockSkew
}

func TestFault_F18_AClockThatIsOffCostsOneRequest(t *testing.T) {
	for _, off := range []time.Duration{6 * time.Minute, time.Hour, 25 * time.Hour} {
		for _, ahead := range []time.Duration{off, -off} {
			t.Run(ahead.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b, c := skewed(t, func() time.Duration { return ahead })
					for i, want := range []int{2, 1, 1, 1} {
						if got := c.call(t, b, fmt.Sprint(i)); got != want {
							t.Errorf("call %d took %d requests, want %d", i+1, got, want)
						}
						<-time.After(time.Minute)
					}
					if got := b.skew(t); got != ahead.Seconds() {
						t.Errorf("the status says %v s", got)
					}
				})
			})
		}
	}
}

// The servers' clocks alone are off here, not those of STS.
func TestFault_F18_AServerWithAClockOfItsOwnIsFollowed(t *testing.T) {
	for _, off := range []time.Duration{6 * time.Minute, time.Hour, 25 * time.Hour, -6 * time.Minute, -time.Hour, -25 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			c := newCloud(t, sandbox.STSOptions{}, inMemory(t, n), "a")
			r := c.routes["a"]
			r.Upstream = inMemory(t, n)("off", c.MCP(sandbox.MCPOptions{Name: "off", Service: r.Service, Region: r.Region, Identity: "a", Clock: off})) + "/mcp"
			b := witnessed(t, n, settings(map[string]config.Route{"a": r}), Options{})
			for i, want := range []int{2, 1, 1} {
				if got := c.call(t, b, fmt.Sprint(i)); got != want {
					t.Errorf("%s: call %d took %d requests, want %d", off, i+1, got, want)
				}
			}
		})
	}
}

func TestFault_F18_WhatWasLearnedOutlivesAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := skewed(t, func() time.Duration { return time.Hour })
		c.call(t, b, "before")
		next := edited(b.gateway.current.Load().config, "a", func(r *config.Route) { r.Headers = map[string]string{"X": "1"} })
		if _, err := b.gateway.Reload(t.Context(), next, nil); err != nil {
			t.Fatal(err)
		}
		if got := c.call(t, b, "after"); got != 1 {
			t.Errorf("the first call after a reload took %d requests", got)
		}
	})
}

func TestFault_F18_AClockThatIsSetRightIsLearnedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ahead atomic.Int64
		b, c := skewed(t, func() time.Duration { return time.Duration(ahead.Load()) })
		for i, off := range []time.Duration{time.Hour, 0, -time.Hour, time.Hour} {
			ahead.Store(int64(off))
			first, second := c.call(t, b, fmt.Sprint(i, "first")), c.call(t, b, fmt.Sprint(i, "second"))
			if first != 2 || second != 1 || b.skew(t) != off.Seconds() {
				t.Errorf("%s: %d and %d requests, skew %v s", off, first, second, b.skew(t))
			}
		}
	})
}

func TestFault_F18_AClockThatCannotBeFollowedIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, sent := scripted(t, reply{403, "InvalidSignatureException", `{"message":"Signature expired: x"}`, 312 * time.Second})
		for range 3 {
			b.atOnce(t)
			before := sent.Load()
			_, body := b.post(t, "a", callBody)
			for _, words := range []string{`"code":-31011`, `"reason":"clock_skew"`, "this machine's clock and AWS's are 312 s apart", `"outcome":"rejected"`} {
				if !strings.Contains(body, words) {
					t.Errorf("%s: want %s", body, words)
				}
			}
			if sent.Load()-before != 2 || b.skew(t) != 0 {
				t.Errorf("%d attempts, skew %v s: want 2, and nothing kept that did not help", sent.Load()-before, b.skew(t))
			}
		}
	})
}

func TestFault_F18_ADateThatIsNotTheClocksPoisonsNoRoute(t *testing.T) {
	// What stands in front has its clock wrong; what verifies has it right, and denied one call.
	for name, kind := range map[string]string{"denied": "AccessDeniedException", "mismatch": "SignatureDoesNotMatch"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, sent := scripted(t, reply{403, kind, `{}`, time.Hour},
					reply{403, "", `{"message":"Signature not yet current: x"}`, time.Hour}, reply{200, "", callAnswer, time.Hour})
				b.post(t, "a", callBody)
				b.atOnce(t)
				if _, body := b.post(t, "a", callBody); body != callAnswer || sent.Load() != 3 || b.skew(t) != 0 {
					t.Errorf("%d requests, skew %v s: %s", sent.Load(), b.skew(t), body)
				}
			})
		})
	}
}

func TestFault_F18_CredentialsEndByTheClockOfAWS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
		r := c.routes["a"]
		r.Upstream = inMemory(t, n)("off", c.MCP(sandbox.MCPOptions{Name: "off", Service: r.Service, Region: r.Region, Clock: 40 * time.Minute})) + "/mcp"
		b := witnessed(t, n, settings(map[string]config.Route{"a": r}), Options{})
		c.call(t, b, "now")
		<-time.After(10 * time.Minute)
		c.call(t, b, "ten minutes before they end there")
		if asked := c.sts.Asked(); asked != 1 {
			t.Errorf("STS was asked %d times", asked)
		}
		<-time.After(11 * time.Minute)
		c.call(t, b, "a minute after")
		if asked := c.sts.Asked(); asked != 2 {
			t.Errorf("STS was asked %d times: credentials of an hour, and the hour is over by AWS's clock", asked)
		}
	})
}

func TestFault_F18_ASkewThatAWSToleratesIsNotTheCause(t *testing.T) {
	for _, kind := range []string{"SignatureDoesNotMatch", "AccessDeniedException"} {
		for ahead, want := range map[time.Duration]int64{4 * time.Minute: 1, -4 * time.Minute: 1, 241 * time.Second: 2, -241 * time.Second: 2} {
			synctest.Test(t, func(t *testing.T) {
				b, sent := scripted(t, reply{403, kind, `{}`, ahead}, reply{200, "", callAnswer, ahead})
				b.atOnce(t)
				if b.post(t, "a", callBody); sent.Load() != want {
					t.Errorf("%s, %s ahead: %d attempts, want %d", kind, ahead, sent.Load(), want)
				}
			})
		}
	}
	synctest.Test(t, func(t *testing.T) {
		named := `{"message":"User: arn:aws:iam::1:user/u is not authorized to perform: x:Y"}`
		b, sent := scripted(t, reply{403, "AccessDeniedException", named, time.Hour}, reply{200, "", callAnswer, time.Hour})
		b.atOnce(t)
		if b.post(t, "a", callBody); sent.Load() != 1 {
			t.Errorf("%d attempts for one whom AWS knows", sent.Load())
		}
	})
}

func TestPitfall28_TenMinutesOffSucceedsOnTheSecondAttemptAndThenOnTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := skewed(t, func() time.Duration { return 10 * time.Minute })
		if first, second := c.call(t, b, "first"), c.call(t, b, "second"); first != 2 || second != 1 {
			t.Errorf("%d and %d requests, want 2 and 1", first, second)
		}
		if twice := c.Ledger().Twice(); len(twice) != 0 {
			t.Errorf("executed twice: %v", twice)
		}
		synctest.Wait()
		var got []string
		for _, s := range b.spans.GetSpans() {
			if line := told(s, "signet.attempt", "error.type", "signet.retry.reason", "signet.clock_skew_seconds"); strings.HasPrefix(line, "client") && strings.Contains(line, "echo") {
				got = append(got, line)
			}
		}
		want := []string{
			`client "tools/call echo" Error signet.attempt=1 error.type=clock_skew`,
			`client "tools/call echo" Unset signet.attempt=2 signet.retry.reason=clock_skew signet.clock_skew_seconds=600`,
			`client "tools/call echo" Unset signet.attempt=1 signet.clock_skew_seconds=600`,
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("spans\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// expiring calls a route 50 times a second for a minute. Its upstream takes each set of keys so many times and
// then says that it has expired. It returns the fetches after the first, and the most attempts of a call.
func expiring(t *testing.T, takes int) (fetches int, most int64) {
	t.Helper()
	n := newNetwork()
	c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
	r := c.routes["a"]
	var mu sync.Mutex
	taken, sent := map[string]int{}, map[string]int64{}
	r.Upstream = upstream(t, n, "up.test", func(w http.ResponseWriter, in *http.Request) {
		body, _ := io.ReadAll(in.Body)
		mu.Lock()
		defer mu.Unlock()
		sent[string(body)]++
		token := in.Header.Get("X-Amz-Security-Token")
		if taken[token]++; taken[token] <= takes {
			answering(callAnswer)(w, in)
			return
		}
		reply{403, "ExpiredTokenException", `{"message":"The security token included in the request is expired"}`, 0}.write(w)
	})
	b := newBench(t, n, settings(map[string]config.Route{"a": r}), Options{})
	held(t, b, "a")
	var calls sync.WaitGroup
	for i := range 50 * 60 {
		calls.Go(func() { b.post(t, "a", toolCall(fmt.Sprint(i), "echo", `"text":"x"`)) })
		<-time.After(20 * time.Millisecond)
	}
	calls.Wait()
	for _, count := range sent {
		most = max(most, count)
	}
	if len(sent) != 50*60 {
		t.Errorf("%d calls reached the upstream", len(sent))
	}
	return c.sts.Asked() - 1, most
}

func TestPitfall27_ACloudThatTakesNoKeysIsNoRefreshStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetches, most := expiring(t, 0)
		if fetches > 6 || fetches < 5 || most > 2 {
			t.Errorf("%d fetches in a minute and up to %d attempts a call; want one in ten seconds and 2", fetches, most)
		}
	})
}

// The control: keys that were good once are replaced however often it takes, so the count above can be exceeded.
func TestPitfall27_ControlOfKeysThatAreTakenOnceIsNotHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetches, most := expiring(t, 1)
		if fetches < 1000 || most > 2 {
			t.Errorf("%d fetches and up to %d attempts a call: a fast rotation is held back", fetches, most)
		}
	})
}
