package gateway

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"signet/gateway/envelope"
)

// mixedUp is how many of 1,000 interleaved calls of four clients were answered as another profile than they named,
// and how many as each.
func mixedUp(t *testing.T, b *bench, name func(profile string) string) (wrong int, as map[string]int) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	as = map[string]int{}
	for client := range 4 {
		session := b.open(t)
		for worker := range 5 {
			all.Go(func() {
				for i := range 50 {
					profile := string("abc"[(client+worker+i)%3])
					_, got := b.whoami(t, session, name(profile))
					mu.Lock()
					if as[profile]++; got != isWho(profile) {
						wrong++
					}
					mu.Unlock()
				}
			})
		}
	}
	all.Wait()
	return wrong, as
}

func TestStormOfProfilesMixesNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := banking(t, true, nil)
		wrong, as := mixedUp(t, b, func(profile string) string { return profile })
		if wrong != 0 || as["a"] < 300 || as["b"] < 300 || as["c"] < 300 {
			t.Errorf("%d of %v calls were another profile's", wrong, as)
		}
		if len(s.owner) != 12 {
			t.Errorf("4 clients of 3 profiles have %d sessions", len(s.owner))
		}
	})
	t.Run("control: where the profile does not count, it is noticed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b, _ := banking(t, true, nil)
			wrong, as := mixedUp(t, b, func(string) string { return "a" })
			if wrong != as["b"]+as["c"] {
				t.Errorf("%d of %v calls were another profile's", wrong, as)
			}
		})
	})
}

func TestSessionsAreBoundedByUse(t *testing.T) {
	s := &sessions{}
	in := func(id string) *call {
		return &call{r: &http.Request{Header: http.Header{"Mcp-Session-Id": {id}}}, body: []byte(opening)}
	}
	s.begin(in(""), "kept")
	for i := range maxSessions + 10 {
		s.begin(in(""), fmt.Sprint(i))
		s.flyingAs(in("kept"), envelope.ValueOf([]byte("1")))
	}
	if len(s.all) != maxSessions || s.all["kept"] == nil || s.all["0"] != nil {
		t.Errorf("%d sessions are remembered, the one in use among them: %t", len(s.all), s.all["kept"] != nil)
	}
	large := in("")
	large.body = make([]byte, maxOpening+1)
	if s.begin(large, "large"); s.all["large"] != nil {
		t.Error("a large opening was remembered")
	}
}
