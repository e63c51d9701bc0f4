package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signet/gateway/sandbox"
)

// Time in these tests is simulated: a call that waits for nothing takes exactly 0.

func TestCallsWaitForNothingWhileASourceIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var slow time.Duration
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour, Delay: func(int) time.Duration { return slow }}, inMemory(t, n), "a", "b", "c")
		b := newBench(t, n, settings(c.routes), Options{})
		c.warm(t, func(route, body string) string { _, answer := b.post(t, route, body); return answer })
		slow = 3 * time.Second
		<-time.After(56 * time.Minute) // every route is due for a refresh, and still valid
		asked := c.sts.Asked()
		for i := range 30 {
			for _, route := range []string{"a", "b", "c"} {
				began := time.Now()
				if _, body := b.post(t, route, toolCall(fmt.Sprintf("%s-%d", route, i), "echo", `"text":"x"`)); !isResult(body) {
					t.Fatal(body)
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("a call on %s took %s while credentials were being fetched", route, took)
				}
			}
			<-time.After(100 * time.Millisecond)
		}
		<-time.After(time.Second)
		if got := c.sts.Asked() - asked; got != 3 {
			t.Errorf("STS was asked %d times, want once for each route", got)
		}
	})
}

func TestARouteWithoutCredentialsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var slow time.Duration
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour, Delay: func(int) time.Duration { return slow }}, inMemory(t, n), "a", "b")
		b := newBench(t, n, settings(c.routes), Options{})
		if _, body := b.post(t, "b", toolCall("warm", "echo", `"text":"x"`)); !isResult(body) {
			t.Fatal(body)
		}
		slow = 3 * time.Second
		began, cold := time.Now(), make(chan time.Duration, 8)
		for i := range 8 {
			go func() {
				if _, body := b.post(t, "a", toolCall(fmt.Sprint("cold-", i), "echo", `"text":"x"`)); !isResult(body) {
					t.Error(body)
				}
				cold <- time.Since(began)
			}()
		}
		synctest.Wait()
		for i := range 20 {
			if _, body := b.post(t, "b", toolCall(fmt.Sprint("other-", i), "echo", `"text":"x"`)); !isResult(body) {
				t.Error(body)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("20 calls on another route took %s", took)
		}
		for range 8 {
			if took := <-cold; took != 3*time.Second {
				t.Errorf("a call on the cold route took %s, want the one fetch, 3 s", took)
			}
		}
		if asked := c.sts.Asked(); asked != 2 {
			t.Errorf("STS was asked %d times for two routes", asked)
		}
	})
}

func TestAHungSourceFailsItsOwnRouteAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Delay: func(n int) time.Duration { return time.Duration(n-1) * time.Hour }}, inMemory(t, n), "a", "b")
		b := newBench(t, n, settings(c.routes), Options{})
		if _, body := b.post(t, "b", toolCall("one", "echo", `"text":"x"`)); !isResult(body) {
			t.Fatal(body)
		}
		began := time.Now()
		_, body := b.post(t, "a", toolCall("two", "echo", `"text":"x"`))
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("the call waited %s for credentials, want 10 s", took)
		}
		if !strings.Contains(body, `"code":-31010`) || !strings.Contains(body, `"reason":"sts_unreachable"`) || !strings.Contains(body, `"outcome":"not_sent"`) {
			t.Errorf("got %s", body)
		}
		if _, body := b.post(t, "b", toolCall("three", "echo", `"text":"x"`)); !isResult(body) {
			t.Errorf("the other route: %s", body)
		}
	})
}

func TestRefusedCredentialsAreFetchedAnewOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a")
		b := newBench(t, n, settings(c.routes), Options{})
		post := func(id string) string {
			_, body := b.post(t, "a", toolCall(id, "echo", `"text":"x"`))
			return body
		}
		if body := post("one"); !isResult(body) {
			t.Fatal(body)
		}
		held := b.gateway.current.Load().routes["a"].identity.cache
		g, _ := held.Get(t.Context(), time.Now())
		c.Revoke(g.Credentials.AccessKeyID)
		if body := post("two"); !isResult(body) {
			t.Errorf("after its key was revoked: %s", body)
		}
		if asked := c.sts.Asked(); asked != 2 {
			t.Errorf("STS was asked %d times", asked)
		}
		if twice := c.Ledger().Twice(); len(twice) != 0 {
			t.Errorf("executed twice: %v", twice)
		}
	})
}

func TestRefusalsOfAWSAreToldInItsOwnWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, inMemory(t, n), "a", "b", "c")
		wrong := c.routes["a"]
		wrong.Region = "us-gov-west-1"
		c.routes["a"] = wrong
		other := c.routes["b"]
		other.Profile = "c"
		c.routes["b"] = other
		unknown := c.routes["c"]
		unknown.Profile = "nobody"
		c.routes["c"] = unknown
		b := newBench(t, n, settings(c.routes), Options{})
		for route, want := range map[string][]string{
			"a": {`"code":-31011`, `"reason":"signature"`, "check service and region (signed svc-a/us-gov-west-1)", `"outcome":"rejected"`},
			"b": {`"code":-31011`, `"reason":"access_denied"`, c.Identity("c").ARN(), "svc-b:InvokeMcp", `"upstream_status":403`},
			"c": {`"code":-31010`, `"reason":"no_profile"`, `no such profile \"nobody\"`, "aws configure --profile nobody", `"outcome":"not_sent"`},
		} {
			response, body := b.post(t, route, toolCall("x", "echo", `"text":"x"`))
			for _, words := range want {
				if !strings.Contains(body, words) {
					t.Errorf("route %s says %s, want %s in it", route, body, words)
				}
			}
			if response.StatusCode != 200 || strings.Contains(body, "Consult the service documentation") {
				t.Errorf("route %s: %d, AWS's own text: %s", route, response.StatusCode, body)
			}
		}
	})
}

func TestTheConfigSaysHowLongAFetchAndACallMayTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		hung := func(request int) bool { return request == 1 }
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour, Hang: hung}, inMemory(t, n), "a")
		r := c.routes["a"]
		r.Credentials.Wait, r.Credentials.Timeout = 2*time.Second, 5*time.Second
		c.routes["a"] = r
		b := newBench(t, n, settings(c.routes), Options{})
		began := time.Now()
		_, body := b.post(t, "a", toolCall("1", "echo", `"text":"x"`))
		if took := time.Since(began); took != 2*time.Second || !strings.Contains(body, `"reason":"sts_unreachable"`) {
			t.Errorf("after %s: %s", took, body)
		}
		<-time.After(4 * time.Second) // past the fetch, and the pause after it
		if _, body := b.post(t, "a", toolCall("2", "echo", `"text":"x"`)); !isResult(body) || c.sts.Asked() != 2 {
			t.Errorf("STS was asked %d times: %s", c.sts.Asked(), body)
		}
	})
}
