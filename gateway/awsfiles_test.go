package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"signet/config"
	"signet/gateway/sandbox"
)

// A rotating is a cloud whose routes' profiles are keys in one file, which others rotate.
type rotating struct {
	*cloud
	file string
	keys map[string]sandbox.Credentials // those in the file, by profile
}

func newRotating(t *testing.T, names ...string) *rotating {
	t.Helper()
	r := &rotating{cloud: newCloud(t, sandbox.STSOptions{}, nil, names...), keys: map[string]sandbox.Credentials{}}
	r.file = os.Getenv("AWS_CONFIG_FILE") + ".keys"
	if err := os.Remove(os.Getenv("AWS_CONFIG_FILE")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", r.file)
	r.rotate(t, names...)
	return r
}

// rotate gives profiles new keys, and saves the file as one that has been left alone since.
func (r *rotating) rotate(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		r.keys[name] = r.Issue(name, time.Hour)
	}
	var text strings.Builder
	for name, c := range r.keys {
		fmt.Fprintf(&text, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", name, c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	}
	if err := os.WriteFile(r.file+".new", []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	hourAgo := time.Now().Add(-time.Hour)
	if err := os.Chtimes(r.file+".new", hourAgo, hourAgo); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(r.file+".new", r.file); err != nil {
		t.Fatal(err)
	}
}

// generation is the set that a route signs with: which of its sets that is, and the key.
func (f *front) generation(route string) (uint64, string) {
	s := f.gateway.current.Load().routes[route].identity.cache.State()
	return s.Generation, s.KeyID
}

func TestPitfall15_AnEditReachesTheRoutesOfItsProfileAndNoOthers(t *testing.T) {
	c := newRotating(t, "a", "b", "c")
	twin := c.routes["a"]
	c.routes["twin"] = twin
	s := &storm{cloud: c.cloud, front: overTCP(t, settings(c.routes))}
	ctx, stop := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() { s.gateway.Follow(ctx) })
	defer following.Wait()
	defer stop()
	call := func(route, id string) {
		if body, err := s.ask(t.Context(), route, toolCall(id+route, "echo", `"text":"x"`)); err != nil || !isResult(body) {
			t.Fatalf("%v %s", err, body)
		}
	}
	for _, route := range []string{"a", "b", "c", "twin"} {
		call(route, "before-")
	}
	for n := range uint64(3) {
		c.rotate(t, "a")
		for _, route := range []string{"a", "twin"} {
			for g, _ := s.generation(route); g < n+2; g, _ = s.generation(route) {
				if t.Context().Err() != nil {
					t.Fatal("the edit did not arrive")
				}
				call(route, fmt.Sprint("until-", n, "-", time.Now().UnixNano()))
			}
			call(route, fmt.Sprint("after-", n))
		}
		last := map[string]string{}
		for _, e := range c.Ledger().Calls() {
			last[e.Call] = e.AccessKeyID
		}
		for _, route := range []string{"a", "twin"} {
			if got := last[fmt.Sprint("after-", n, route)]; got != c.keys["a"].AccessKeyID {
				t.Errorf("a call on %s after edit %d was signed with %s, the file has %s", route, n, got, c.keys["a"].AccessKeyID)
			}
		}
	}
	for _, route := range []string{"b", "c"} {
		if g, _ := s.generation(route); g != 1 {
			t.Errorf("route %s is at generation %d: edits of another profile reached it", route, g)
		}
	}
}

func TestPitfall15_CallsReadNoFileOfAWS(t *testing.T) {
	c := newRotating(t, "a")
	s := &storm{cloud: c.cloud, front: overTCP(t, settings(c.routes))}
	c.warm(t, func(route, body string) string { answer, _ := s.ask(t.Context(), route, body); return answer })
	before := c.keys["a"].AccessKeyID
	c.rotate(t, "a") // and nobody says so: whoever reads the file would use it
	for n := range 1000 {
		if body, err := s.ask(t.Context(), "a", toolCall(fmt.Sprint(n), "echo", `"text":"x"`)); err != nil || !isResult(body) {
			t.Fatalf("call %d: %v %s", n, err, body)
		}
	}
	for _, e := range c.Ledger().Calls() {
		if e.AccessKeyID != before {
			t.Fatalf("call %s was signed with what the file says now", e.Call)
		}
	}
	if g, _ := s.generation("a"); g != 1 {
		t.Errorf("generation %d", g)
	}
}

func TestFault_C09_RotationsMidFanOutMixNoKeys(t *testing.T) {
	for name, revoked := range map[string]bool{"the old keys are honoured on": false, "the old keys are revoked at once": true} {
		t.Run(name, func(t *testing.T) {
			routes := []string{"a", "b", "c", "d"}
			c := newRotating(t, routes...)
			s := &storm{cloud: c.cloud, front: overTCP(t, settings(c.routes))}
			for round := range 100 {
				var calls sync.WaitGroup
				for i := range 8 {
					for _, route := range routes {
						calls.Go(func() {
							body, err := s.ask(t.Context(), route, toolCall(fmt.Sprintf("%d-%d-%s", round, i, route), "delay", `"ms":1`))
							if err != nil || !isResult(body) {
								s.fail("round %d on %s: %v %s", round, route, err, body)
							}
						})
					}
				}
				before := make([]string, 0, len(routes))
				for _, route := range routes {
					before = append(before, c.keys[route].AccessKeyID)
				}
				c.rotate(t, routes...)
				for _, key := range before {
					if revoked {
						c.Revoke(key)
					}
				}
				s.gateway.recheck()
				calls.Wait()
			}
			ledger := c.Ledger()
			if s.failed.Load() > 0 || ledger.Mixed() > 0 || ledger.WrongIdentity() > 0 || len(ledger.Twice()) > 0 || len(ledger.Calls()) != 100*8*4 {
				t.Errorf("%d failed, %d mixed, %d under another identity, %v twice, %d calls; the first: %s",
					s.failed.Load(), ledger.Mixed(), ledger.WrongIdentity(), ledger.Twice(), len(ledger.Calls()), s.first)
			}
			if g, _ := s.generation("a"); g < 50 {
				t.Errorf("generation %d after 100 rotations: nothing rotated", g)
			}
		})
	}
}

func TestFault_C14_TwoProfilesOfOneServiceAndRegionAreNeverMixedUp(t *testing.T) {
	c := newCloud(t, sandbox.STSOptions{Life: 100 * time.Millisecond}, nil, "a", "b")
	for name, r := range c.routes {
		r.Service, r.Region = "same", "eu-west-1"
		r.Upstream = c.MCP(sandbox.MCPOptions{Name: name + "2", Service: r.Service, Region: r.Region, Identity: name}).URL() + "/mcp"
		c.routes[name] = r
	}
	s := &storm{cloud: c, front: overTCP(t, settings(c.routes))}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range 64 {
		workers.Go(func() {
			for n := next.Add(1); n <= 6000; n = next.Add(1) {
				route := []string{"a", "b"}[n%2]
				if body, err := s.ask(t.Context(), route, toolCall(fmt.Sprint(n), "echo", `"text":"x"`)); err != nil || !isResult(body) {
					s.fail("on %s: %v %s", route, err, body)
				}
			}
		})
	}
	workers.Wait()
	if ledger := c.Ledger(); s.failed.Load() > 0 || ledger.WrongIdentity() > 0 || ledger.Mixed() > 0 || c.sts.Asked() < 6 {
		t.Errorf("%d failed, %d under the other identity, %d mixed, STS was asked %d times; the first: %s",
			s.failed.Load(), ledger.WrongIdentity(), ledger.Mixed(), c.sts.Asked(), s.first)
	}
}

func TestPitfall19_AProfileThatWantsMFAStopsItsRouteAlone(t *testing.T) {
	c := newCloud(t, sandbox.STSOptions{}, nil, "a", "b")
	text, err := os.ReadFile(os.Getenv("AWS_CONFIG_FILE"))
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(text), "[profile a]\n", "[profile a]\nmfa_serial = arn:aws:iam::111122223333:mfa/me\n", 1)
	if err := os.WriteFile(os.Getenv("AWS_CONFIG_FILE"), []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &storm{cloud: c, front: overTCP(t, settings(c.routes))}
	body, err := s.ask(t.Context(), "a", toolCall("1", "echo", `"text":"x"`))
	if err != nil || !strings.Contains(body, `"reason":"mfa"`) || !strings.Contains(body, `route \"a\": profile \"a\" wants an MFA code`) {
		t.Errorf("%v %s", err, body)
	}
	if body, err := s.ask(t.Context(), "b", toolCall("2", "echo", `"text":"x"`)); err != nil || !isResult(body) {
		t.Errorf("another route: %v %s", err, body)
	}
}

func TestTheRoleSessionNameOutlivesRefreshesReloadsAndRestarts(t *testing.T) {
	c := newCloud(t, sandbox.STSOptions{Life: 50 * time.Millisecond}, nil, "a")
	for range 2 { // two programs, one after the other
		s := &storm{cloud: c, front: overTCP(t, settings(c.routes))}
		for n := range int64(3) {
			before := c.sts.Asked()
			for c.sts.Asked() < before+3 && t.Context().Err() == nil {
				if body, err := s.ask(t.Context(), "a", toolCall(fmt.Sprint(time.Now().UnixNano()), "echo", `"text":"x"`)); err != nil || !isResult(body) {
					t.Fatalf("%v %s", err, body)
				}
			}
			if _, err := s.gateway.Reload(t.Context(), c.edition(n, time.Second), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, a := range c.sts.Granted() {
		if a.SessionName != "signet-a" {
			t.Errorf("a session is named %q", a.SessionName)
		}
	}
	if n := len(sessionName(strings.Repeat("r", 63))); n != 64 {
		t.Errorf("the name of a long route's session has %d characters", n)
	}
}

func TestAnOptionalSignatureIsLeftOutOnlyWhereThereIsNobodyToSignAs(t *testing.T) {
	c := newCloud(t, sandbox.STSOptions{}, nil, "a")
	var sent http.Header
	r := c.routes["a"]
	r.UpstreamAuth, r.Profile = "sigv4-optional", ""
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		sent = in.Header.Clone()
		answering(callAnswer)(w, in)
	}))
	t.Cleanup(upstream.Close)
	r.Upstream = upstream.URL
	ask := func(profile string) string {
		r.Profile = profile
		s := &storm{cloud: c, front: overTCP(t, settings(map[string]config.Route{"a": r}))}
		sent = nil
		body, err := s.ask(t.Context(), "a", callBody)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	if body := ask(""); !isResult(body) || sent.Get("Authorization") != "" || sent.Get("X-Amz-Date") != "" {
		t.Errorf("nobody to sign as: %s, sent %v", body, sent)
	}
	if body := ask("base"); !isResult(body) || !strings.Contains(sent.Get("Authorization"), "AWS4-HMAC-SHA256") {
		t.Errorf("somebody to sign as: %s, sent %v", body, sent)
	}
	if body := ask("missing"); !strings.Contains(body, `"reason":"no_profile"`) || sent != nil {
		t.Errorf("somebody who cannot: %s, sent %v", body, sent)
	}
}
