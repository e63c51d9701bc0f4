package sandbox

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestARefreshTokenIsGoodOnceWhoeverIsFirst(t *testing.T) {
	r := newRotation(New(Options{}).secret)
	token := r.add(grant{identity: "alice"})
	var all sync.WaitGroup
	var good atomic.Int32
	for range 64 {
		all.Go(func() {
			if g, ok := r.use(token, ""); ok && g.identity == "alice" {
				good.Add(1)
			}
		})
	}
	all.Wait()
	if good.Load() != 1 {
		t.Errorf("good %d times", good.Load())
	}
}

func TestARefreshTokenIsOfNoUseToAnotherKey(t *testing.T) {
	r := newRotation(New(Options{}).secret)
	token := r.add(grant{identity: "alice", key: "K"})
	for _, key := range []string{"", "L"} {
		if _, ok := r.use(token, key); ok {
			t.Errorf("good for the key %q", key)
		}
	}
	if g, ok := r.use(token, "K"); !ok || g != (grant{identity: "alice", key: "K"}) {
		t.Errorf("whose key it is: %+v %t", g, ok)
	}
	if _, ok := r.use("nobody's", ""); ok {
		t.Error("a token that was never made is good")
	}
}
