package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/sandbox"
)

// A picky upstream refuses a call as AWS refuses keys it does not know, as long as a test says so.
type picky struct {
	mu      sync.Mutex
	refuses func(n int) bool // whether it does the nth since the last ask; under mu
	keys    []string         // ids of the keys that requests were signed with, since then; under mu
}

func (p *picky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ = strings.Cut(key, "/")
	p.keys = append(p.keys, key)
	if p.refuses(len(p.keys)) {
		status(403, "application/json", `{"message":"The security token included in the request is invalid."}`, "x-amzn-errortype", "UnrecognizedClientException")(w, r)
		return
	}
	answering(callAnswer)(w, r)
}

// ask is the answer to one call on a route whose upstream this is, and the keys it was sent with.
func (p *picky) ask(t *testing.T, f *front, refuses func(n int) bool) (answer string, keys []string) {
	t.Helper()
	p.mu.Lock()
	p.refuses, p.keys = refuses, nil
	p.mu.Unlock()
	answer, err := (&storm{front: f}).ask(t.Context(), "a", callBody)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return answer, p.keys
}

func newPicky(t *testing.T) (*rotating, *picky, *front) {
	t.Helper()
	c, p := newRotating(t, "a"), &picky{}
	upstream := httptest.NewServer(p)
	t.Cleanup(upstream.Close)
	r := c.routes["a"]
	r.Upstream = upstream.URL
	return c, p, overTCP(t, settings(map[string]config.Route{"a": r}))
}

func never(int) bool { return false }

// Under load a call of TestFault_C09 met two rotations: it was refused as signed before the first, waited for what the
// file said then, and was refused again, for the second had come by the time that it was sent.
func TestFault_C09_ACallThatMeetsTwoRotationsIsServed(t *testing.T) {
	c, p, f := newPicky(t)
	if answer, _ := p.ask(t, f, never); !isResult(answer) {
		t.Fatal(answer)
	}
	want := []string{c.keys["a"].AccessKeyID}
	answer, keys := p.ask(t, f, func(n int) bool { // and nobody says so: the file is looked at
		if n > 2 {
			return false
		}
		c.rotate(t, "a")
		want = append(want, c.keys["a"].AccessKeyID)
		return true
	})
	if !isResult(answer) || !slices.Equal(keys, want) {
		t.Errorf("%s, signed with %v of %v", answer, keys, want)
	}
}

func TestKeysThatAreReplacedWithoutEndAreThreeRequests(t *testing.T) {
	c, p, f := newPicky(t)
	for call := range 3 {
		answer, keys := p.ask(t, f, func(int) bool { c.rotate(t, "a"); return true })
		if !strings.Contains(answer, `"code":-31011`) || len(keys) != 3 {
			t.Errorf("call %d: %s, signed with %v", call, answer, keys)
		}
	}
	// What nobody took for so long is no reason to leave the file unread.
	if answer, keys := p.ask(t, f, func(n int) bool { return n == 1 }); !isResult(answer) || len(keys) != 2 {
		t.Errorf("%s, signed with %v", answer, keys)
	}
}

// A call is sent once more only for what there is: the control of both above.
func TestKeysThatNobodyReplacedAreNotSentAgain(t *testing.T) {
	c, p, f := newPicky(t)
	always := func(int) bool { return true }
	if answer, keys := p.ask(t, f, always); len(keys) != 1 || !strings.Contains(answer, "there are no others") {
		t.Errorf("%s, signed with %v", answer, keys)
	}
	answer, keys := p.ask(t, f, func(n int) bool {
		if n == 1 {
			c.rotate(t, "a")
		}
		return true
	})
	if len(keys) != 2 || !strings.Contains(answer, "nor did it take those fetched just before") {
		t.Errorf("%s, signed with %v", answer, keys)
	}
	before, _ := f.generation("a")
	for n := range 20 {
		if answer, keys := p.ask(t, f, always); len(keys) != 1 {
			t.Errorf("call %d: %s, signed with %v", n, answer, keys)
		}
	}
	if after, _ := f.generation("a"); after != before {
		t.Errorf("generation %d became %d with nothing to fetch", before, after)
	}
}

// Keys that lived for two seconds ended on their way when the machine was busy, and so did those after them.
func TestKeysThatEndOnTheirWayAreReplacedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, p := newNetwork(), &picky{}
		c := newCloud(t, sandbox.STSOptions{Life: 20 * time.Second}, inMemory(t, n), "a")
		r := c.routes["a"]
		r.Upstream = upstream(t, n, "up.test", p.ServeHTTP)
		b := witnessed(t, n, settings(map[string]config.Route{"a": r}), Options{})
		b.atOnce(t)
		p.refuses = func(n int) bool {
			if n < 3 {
				<-time.After(20 * time.Second)
			}
			return n < 3
		}
		if _, body := b.post(t, "a", callBody); !isResult(body) || len(p.keys) != 3 || p.keys[1] == p.keys[2] {
			t.Errorf("%s, signed with %v", body, p.keys)
		}
	})
}

// An edit ends the ten seconds in which nothing is sought, whether or not anybody has seen it yet.
func TestAnEditThatNobodySawYetEndsThePauseAfterARefusal(t *testing.T) {
	c, p, f := newPicky(t)
	for n := range 5 {
		if answer, keys := p.ask(t, f, func(int) bool { return true }); len(keys) == 3 {
			t.Fatalf("%s, signed with %v", answer, keys)
		}
		c.rotate(t, "a")
		answer, keys := p.ask(t, f, func(n int) bool { return n == 1 })
		if !isResult(answer) || len(keys) != 2 || keys[1] != c.keys["a"].AccessKeyID {
			t.Errorf("%s: %s, signed with %v", fmt.Sprint("rotation ", n), answer, keys)
		}
		if answer, keys := p.ask(t, f, never); !isResult(answer) || len(keys) != 1 {
			t.Errorf("after it: %s, signed with %v", answer, keys)
		}
	}
}
