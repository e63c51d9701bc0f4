package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// A session that the upstream lost is begun anew, and the call that found out is sent again.
func TestProfilesRegainASessionThatTheUpstreamLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := banking(t, true, nil)
		session := b.open(t)
		b.whoami(t, session, "b")
		s.mu.Lock()
		delete(s.owner, "b-1")
		s.mu.Unlock()
		if status, got := b.whoami(t, session, "b"); status != 200 || got != isWho("b") {
			t.Errorf("%d %s", status, got)
		}
		want := "b b-1 tools/call\nb  initialize\nb b-1 notifications/initialized\nb b-1 tools/call"
		if got := strings.Join(s.log()[4:], "\n"); got != want {
			t.Errorf("the upstream got\n%s\nwant\n%s", got, want)
		}
		s.mu.Lock()
		s.owner = map[string]string{}
		s.refusing["b"] = true
		s.mu.Unlock()
		if status, got := b.whoami(t, session, "b"); status != 200 || !strings.Contains(got, `began no session as profile \"b\"`) {
			t.Errorf("%d %s", status, got)
		}
		if status, _ := b.whoami(t, session, "a"); status != 404 {
			t.Errorf("the client's own session: %d", status)
		}
		s.mu.Lock()
		s.refusing["b"] = false
		s.mu.Unlock()
		if _, got := b.whoami(t, session, "b"); got != isWho("b") {
			t.Errorf("after it was refused once: %s", got)
		}
	})
}

// Two sessions of one client may be asked with the same id; each answer reaches the one that it is for.
func TestProfilesHaveTheirQuestionsAnsweredInTheirOwnSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := banking(t, true, nil)
		session := b.open(t)
		s.mu.Lock()
		s.asking = true
		s.mu.Unlock()
		var all sync.WaitGroup
		for _, profile := range []string{"a", "b", "c"} {
			all.Go(func() {
				r := request(t, "r", strings.Replace(calling("whoami"), `"name"`, `"arguments":{"aws_profile":"`+profile+`"},"name"`, 1))
				r.Header.Set("Mcp-Session-Id", session)
				response, err := b.client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = response.Body.Close() }()
				next := make([]byte, 4096)
				n, _ := response.Body.Read(next)
				_, text, _ := strings.Cut(string(next[:n]), "data: ")
				var question struct{ ID json.RawMessage }
				if err := json.Unmarshal([]byte(text), &question); err != nil {
					t.Errorf("%s: %v", text, err)
				}
				answer := request(t, "r", fmt.Sprintf(`{"jsonrpc":"2.0", "id" : %s,"result":{"for":"%s"}}`, question.ID, profile))
				answer.Header.Set("Mcp-Session-Id", session)
				if response, body := b.do(t, answer); response.StatusCode != http.StatusAccepted {
					t.Errorf("%d %s", response.StatusCode, body)
				}
				rest, _ := io.ReadAll(response.Body)
				if want := `"said":{"for":"` + profile + `"},"who":"` + profile + `"`; !strings.Contains(string(rest), want) {
					t.Errorf("as %s: %s", profile, rest)
				}
			})
		}
		all.Wait()
		for id, want := range map[string]string{ // ids that are nobody's question
			`"signet/x/1"`: `a a-0 response "signet/x/1"`, `"signet/b/{}"`: `a a-0 response "signet/b/{}"`,
			`"signet/b/1,2"`: `a a-0 response "signet/b/1,2"`, `"signet/b"`: `a a-0 response "signet/b"`, `7`: `a a-0 response 7`,
			`"signet/b/\"x\""`: `b b-`,
		} {
			answer := request(t, "r", `{"jsonrpc":"2.0","id":`+id+`,"result":{}}`)
			answer.Header.Set("Mcp-Session-Id", session)
			b.do(t, answer)
			if log := s.log(); !strings.HasPrefix(log[len(log)-1], want) || want == `b b-` && !strings.HasSuffix(log[len(log)-1], ` response "x"`) {
				t.Errorf("%s: the upstream got %q", id, log[len(log)-1])
			}
		}
	})
}

func TestProfilesAreCancelledInTheirOwnSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := banking(t, true, nil)
		session := b.open(t)
		b.whoami(t, session, "b")
		s.mu.Lock()
		s.asking = true // it waits for an answer
		s.mu.Unlock()
		r := request(t, "r", `{"jsonrpc":"2.0","id":"r\u0031","method":"tools/call","params":{"name":"whoami","arguments":{"aws_profile":"b"}}}`)
		r.Header.Set("Mcp-Session-Id", session)
		response, err := b.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		for id, want := range map[string]string{`"r1"`: "b b-1 notifications/cancelled", `"r2"`: "a a-0 notifications/cancelled", `9007199254740993`: "a a-0 notifications/cancelled"} {
			cancel := request(t, "r", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`+id+`}}`)
			cancel.Header.Set("Mcp-Session-Id", session)
			b.do(t, cancel)
			if log := s.log(); log[len(log)-1] != want {
				t.Errorf("%s: the upstream got %q", id, log)
			}
		}
	})
}

func TestProfilesEndTheirSessionsWithTheClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := banking(t, true, nil)
		session := b.open(t)
		b.whoami(t, session, "b")
		r := request(t, "r", "")
		r.Method, r.Body, r.ContentLength = http.MethodDelete, nil, 0
		r.Header.Set("Mcp-Session-Id", session)
		if response, _ := b.do(t, r); response.StatusCode != http.StatusNoContent {
			t.Errorf("%d", response.StatusCode)
		}
		synctest.Wait()
		s.mu.Lock()
		left := len(s.owner)
		s.mu.Unlock()
		if left != 0 {
			t.Errorf("%d sessions are left: %q", left, s.log())
		}
		if status, _ := b.whoami(t, session, "b"); status != http.StatusNotFound {
			t.Errorf("a call in a session that was ended: %d", status)
		}
	})
}

// A session is its caller's: another who knows its id gets none as another profile by it.
func TestProfilesOfASessionAreItsCallersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := banking(t, true, nil)
		session := b.open(t)
		for _, test := range []struct {
			session string
			status  int
		}{{session, 200}, {"unknown", 404}} {
			if status, got := b.whoami(t, test.session, "b"); status != test.status || status == 404 && !strings.Contains(got, `"reason":"unknown_session"`) {
				t.Errorf("%s: %d %s", test.session, status, got)
			}
		}
		b.gateway.current.Load().routes["r"].sessions.all[session].caller = "another"
		if status, got := b.whoami(t, session, "b"); status != 404 {
			t.Errorf("another's session: %d %s", status, got)
		}
	})
}

func TestProfilesKeepTheirSessionsOverAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := banking(t, true, nil)
		session := b.open(t)
		b.whoami(t, session, "b")
		cfg := b.gateway.current.Load().config
		changes, err := b.gateway.Reload(t.Context(), edited(cfg, "r", func(r *config.Route) { r.ProfileParam.Tools = []string{"*"} }), nil)
		if err != nil || fmt.Sprint(changes.Parts["r"]) != "[tools]" {
			t.Errorf("%v, %v", changes.Parts, err)
		}
		before := b.gateway.current.Load().routes["r"].others[0]
		changes, err = b.gateway.Reload(t.Context(), edited(cfg, "r", func(r *config.Route) { r.Profiles = []string{"a", "b"} }), nil)
		if err != nil || fmt.Sprint(changes.Parts["r"]) != "[credentials tools]" && fmt.Sprint(changes.Parts["r"]) != "[credentials]" {
			t.Errorf("%v, %v", changes.Parts, err)
		}
		if after := b.gateway.current.Load().routes["r"].others; len(after) != 1 || after[0] != before {
			t.Error("the credentials of a profile that stays are others")
		}
		if _, got := b.whoami(t, session, "b"); got != isWho("b") {
			t.Error(got)
		}
		if _, got := b.whoami(t, session, "c"); !strings.Contains(got, "unknown_profile") {
			t.Error(got)
		}
		if log := s.log(); log[len(log)-1] != "b b-1 tools/call" || strings.Count(strings.Join(log, "\n"), "b  initialize") != 1 {
			t.Errorf("the upstream got %q", log)
		}
	})
}

// A profile that hangs delays nobody else, and two calls that are first begin one session.
func TestProfilesAreIsolatedFromEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := banking(t, true, nil)
		session := b.open(t)
		s.mu.Lock()
		s.slow["c"] = 300 * time.Millisecond
		s.mu.Unlock()
		var all sync.WaitGroup
		done := make(chan string, 2)
		for range 2 {
			all.Go(func() {
				if _, got := b.whoami(t, session, "c"); got != isWho("c") {
					t.Error(got)
				}
				done <- "c"
			})
		}
		for _, profile := range []string{"a", "b"} {
			for range 50 {
				if _, got := b.whoami(t, session, profile); got != isWho(profile) {
					t.Errorf("as %s: %s", profile, got)
				}
			}
		}
		if len(done) != 0 {
			t.Error("the others waited for it")
		}
		all.Wait()
		if n := strings.Count(strings.Join(s.log(), "\n"), "c  initialize"); n != 1 {
			t.Errorf("%d sessions were begun", n)
		}
	})
}
