package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// A bank is an upstream that binds each session to who began it, as AWS's do, and notes what it is sent.
type bank struct {
	mu       sync.Mutex
	seen     []string          // "who session method", of every request; under mu
	bodies   []string          // of tools/call; under mu
	owner    map[string]string // of each session; under mu
	asking   bool              // a call asks the client before it is answered, with the id 1; under mu
	answers  map[string]chan string
	refusing map[string]bool // whose initialize is refused; under mu
	slow     map[string]time.Duration
	stateful bool
}

// signer is the last letters of the key that a request is signed with.
func signer(r *http.Request) string {
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=AKID")
	who, _, _ := strings.Cut(rest, "/")
	return strings.ToLower(who)
}

// A deposit is a request to a bank, taken apart.
type deposit struct {
	ID     json.RawMessage
	Method string
	Result json.RawMessage
	who    string
	id     string // of the session
	body   string
}

func (s *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m := deposit{who: signer(r), id: r.Header.Get("Mcp-Session-Id"), body: string(body)}
	_ = json.Unmarshal(body, &m)
	what := m.Method
	switch {
	case r.Method != http.MethodPost:
		what = r.Method
	case len(m.Result) > 0:
		what = "response " + string(m.ID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, strings.Join([]string{m.who, m.id, what}, " "))
	if wait := s.slow[m.who]; wait > 0 {
		s.mu.Unlock()
		<-time.After(wait)
		s.mu.Lock()
	}
	switch {
	case m.Method == "initialize":
		s.initialize(w, r, m)
	case s.stateful && s.owner[m.id] != m.who && r.Header.Get("MCP-Protocol-Version") < modern:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodDelete:
		delete(s.owner, m.id)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case m.Method == "tools/list":
		answering(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"whoami","inputSchema":{"type":"object"}},{"name":"secret","inputSchema":{"type":"object"}},{"name":"plain"}]}}`, m.ID))(w, r)
	case m.Method == "tools/call":
		s.call(w, r, m)
	default:
		if reply := s.answers[m.who+string(m.ID)]; reply != nil && len(m.Result) > 0 {
			reply <- string(m.Result)
		}
		w.WriteHeader(http.StatusAccepted)
	}
}

func (s *bank) initialize(w http.ResponseWriter, r *http.Request, m deposit) {
	if s.refusing[m.who] {
		answering(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32603,"message":"no"}}`, m.ID))(w, r)
		return
	}
	if s.stateful {
		id := fmt.Sprintf("%s-%d", m.who, len(s.owner))
		s.owner[id] = m.who
		w.Header().Set("Mcp-Session-Id", id)
	}
	answering(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25"}}`, m.ID))(w, r)
}

// call answers who calls, after it has asked the client if the bank is asking.
func (s *bank) call(w http.ResponseWriter, r *http.Request, m deposit) {
	s.bodies = append(s.bodies, m.body)
	w.Header().Set("Mcp-Session-Id", m.id)
	text := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"who":%q}}`, m.ID, m.who)
	if !s.asking {
		answering(text)(w, r)
		return
	}
	reply := make(chan string, 1)
	s.answers[m.who+"1"] = reply
	send := events(w)
	send(event(`{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"who":"` + m.who + `"}}`))
	s.mu.Unlock()
	select {
	case answer := <-reply:
		send(event(strings.Replace(text, `"who"`, `"said":`+answer+`,"who"`, 1)))
	case <-r.Context().Done():
	}
	s.mu.Lock()
}

func (s *bank) log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.seen...)
}

// banking is a bench whose route "r" has the profiles a, b and c, in front of a bank.
func banking(t *testing.T, stateful bool, change func(*config.Route)) (*bench, *bank) {
	t.Helper()
	var files [2]string
	for _, name := range []string{"a", "b", "c"} {
		files[0] += "[profile " + name + "]\nregion = eu-west-1\n"
		files[1] += fmt.Sprintf("[%s]\naws_access_key_id = AKID%s\naws_secret_access_key = secret\n", name, strings.ToUpper(name))
	}
	for i, variable := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		file := filepath.Join(t.TempDir(), variable)
		if err := os.WriteFile(file, []byte(files[i]), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv(variable, file)
	}
	s := &bank{owner: map[string]string{}, answers: map[string]chan string{}, refusing: map[string]bool{}, slow: map[string]time.Duration{}, stateful: stateful}
	n := newNetwork()
	r := config.DefaultRoute()
	r.Upstream, r.Service, r.Region = upstream(t, n, "up.test", s.ServeHTTP), "svc", "eu-west-1"
	r.Profiles, r.Profile = []string{"a", "b", "c"}, "a"
	r.ProfileParam.Tools = []string{"whoami", "secret"}
	if change != nil {
		change(&r)
	}
	return newBench(t, n, settings(map[string]config.Route{"r": r}), Options{}), s
}

const opening = `{"jsonrpc":"2.0","id":"init","method":"initialize","params":{"protocolVersion":"2025-11-25","clientInfo":{"name":"n","n":9007199254740993}}}`

// whoami asks who calls, as a profile, in a session.
func (b *bench) whoami(t *testing.T, session, profile string) (int, string) {
	t.Helper()
	r := request(t, "r", `{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"_meta":{"progressToken":"p"},"name":"whoami","arguments":{"n":1e400,"aws_profile":"`+profile+`"}}}`)
	r.Header.Set("MCP-Protocol-Version", "2025-11-25")
	if session != "" {
		r.Header.Set("Mcp-Session-Id", session)
	}
	response, body := b.do(t, r)
	if got := response.Header.Get("Mcp-Session-Id"); got != "" && got != session {
		t.Errorf("the client was told of the session %q", got)
	}
	return response.StatusCode, body
}

func isWho(who string) string {
	return `{"jsonrpc":"2.0","id":9007199254740993,"result":{"who":"` + who + `"}}`
}

// open begins a session.
func (b *bench) open(t *testing.T) string {
	t.Helper()
	response, _ := b.post(t, "r", opening)
	return response.Header.Get("Mcp-Session-Id")
}

func TestProfilesHaveTheirOwnCredentialsAndTheirOwnSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := banking(t, true, nil)
		session := b.open(t)
		for _, profile := range []string{"a", "b", "c", "b", "a", "c"} {
			if status, got := b.whoami(t, session, profile); got != isWho(profile) || status != 200 {
				t.Errorf("as %s: %d %s", profile, status, got)
			}
		}
		want := []string{"a  initialize", "a a-0 tools/call",
			"b  initialize", "b b-1 notifications/initialized", "b b-1 tools/call",
			"c  initialize", "c c-2 notifications/initialized", "c c-2 tools/call",
			"b b-1 tools/call", "a a-0 tools/call", "c c-2 tools/call"}
		if got := s.log(); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("the upstream got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, body := range s.bodies {
			if body != `{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"_meta":{"progressToken":"p"},"name":"whoami","arguments":{"n":1e400}}}` {
				t.Errorf("the upstream got %s", body)
			}
		}
	})
}

func TestProfilesWithoutSessionsAreTheirCredentialsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, stateful := range []bool{false, true} {
			b, s := banking(t, stateful, nil)
			for _, profile := range []string{"a", "b", "c"} {
				r := request(t, "r", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{"aws_profile":"`+profile+`"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`)
				for name, value := range map[string]string{"MCP-Protocol-Version": modern, "Mcp-Method": "tools/call", "Mcp-Name": "whoami", "Mcp-Session-Id": "x"} {
					r.Header.Set(name, value)
				}
				if _, got := b.do(t, r); got != `{"jsonrpc":"2.0","id":1,"result":{"who":"`+profile+`"}}` {
					t.Errorf("as %s: %s", profile, got)
				}
			}
			if got := s.log(); len(got) != 3 {
				t.Errorf("the upstream got %q", got)
			}
		}
		b, s := banking(t, false, nil)
		if status, got := b.whoami(t, "", "b"); status != 200 || got != isWho("b") || len(s.log()) != 1 {
			t.Errorf("without a session: %d %s, %q", status, got, s.log())
		}
	})
}

func TestProfilesThatAreNoneAreRefusedWithTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := banking(t, true, func(r *config.Route) { r.Tools.Deny = []string{"secret"} })
		session := b.open(t)
		_, got := b.whoami(t, session, "root")
		if !strings.Contains(got, `"isError":true`) || !strings.Contains(got, `aws_profile \"root\" is not in the list of profiles: a, b, c`) || !strings.Contains(got, `"id":9007199254740993`) {
			t.Error(got)
		}
		for body, want := range map[string]string{
			`{"name":"whoami","arguments":{"aws_profile":"a","aws_profile":"b"}}`:               "-32600",
			`{"name":"whoami","arguments":{"aws_profile":"a","aws\u005fprofile":"b"}}`:          "-32600",
			`{"name":"whoami","arguments":{"AWS_PROFILE":"b"}}`:                                 "unknown_profile",
			`{"name":"whoami","arguments":{"aws_profile":"b "}}`:                                "unknown_profile",
			`{"name":"secret","arguments":{"aws_profile":"b"}}`:                                 "-31030",
			`{"name":"whoami","arguments":{"aws_profile":"a"},"Arguments":{"aws_profile":"b"}}`: "error",
		} {
			r := request(t, "r", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":`+body+`}`)
			r.Header.Set("Mcp-Session-Id", session)
			if _, got := b.do(t, r); !strings.Contains(got, want) && !strings.Contains(body, `"Arguments"`) {
				t.Errorf("%s: %s", body, got)
			}
		}
		for _, line := range s.log() {
			if strings.HasPrefix(line, "b ") {
				t.Errorf("the upstream got %q", s.log())
			}
		}
	})
}

func TestProfilesOfABatchAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := banking(t, true, nil)
		session := b.open(t)
		call := func(id int, profile string) string {
			return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"whoami","arguments":{"aws_profile":"%s","x":%d}}}`, id, profile, id)
		}
		send := func(body string) string {
			r := request(t, "r", body)
			r.Header.Set("Mcp-Session-Id", session)
			_, got := b.do(t, r)
			return got
		}
		if got := send("[" + call(1, "b") + "," + call(2, "c") + "]"); strings.Count(got, "names several") != 2 || len(s.bodies) != 0 {
			t.Error(got)
		}
		if got := send("[" + call(1, "b") + "," + askList + "]"); !strings.Contains(got, "names several") {
			t.Error(got)
		}
		send("[" + call(1, "b") + ", " + call(2, "b") + "]")
		if log := s.log(); log[len(log)-1] != "b b-1 " {
			t.Errorf("the upstream got %q", log)
		}
	})
}

func TestProfilesAreAParameterInLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := banking(t, true, func(r *config.Route) { r.Tools.Deny = []string{"secret"} })
		session := b.open(t)
		r := request(t, "r", askList)
		r.Header.Set("Mcp-Session-Id", session)
		_, got := b.do(t, r)
		want := `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"whoami","inputSchema":{"type":"object","properties":{"aws_profile":` +
			`{"type":"string","enum":["a","b","c"],"description":"The AWS profile to call as. Default: a."}}}},{"name":"plain"}]}}`
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}
