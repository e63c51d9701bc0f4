package gateway

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/bulkhead"
)

// A padded body is a call of so many bytes, which counts what is read of all of its kind.
type padded struct {
	io.Reader
	read *atomic.Int64
}

func pad(size int, read *atomic.Int64) padded {
	head, tail := strings.TrimSuffix(callBody, `}}`)+`,"arguments":"`, `"}}`
	return padded{strings.NewReader(head + strings.Repeat("x", size-len(head)-len(tail)) + tail), read}
}

func (p padded) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	p.read.Add(int64(n))
	return n, err
}

// pressure sends 200 calls of 64 KiB to an upstream that holds them, with so much memory for all.
func pressure(t *testing.T, memory config.Size, chunked bool) (held, shed int, used, read int64) {
	t.Helper()
	const calls, size = 200, 64 << 10
	synctest.Test(t, func(t *testing.T) {
		up, n := &busy{finish: make(chan struct{})}, newNetwork()
		r := secretive(t, plain(upstream(t, n, "up.test", up.ServeHTTP)))
		r.Limits.Calls, r.Limits.PerClient, r.Pool.MaxConnections = calls, 0, calls
		cfg := settings(map[string]config.Route{"r": r})
		cfg.Memory = memory
		b := witnessed(t, n, cfg, Options{})
		var bytes atomic.Int64
		answers := make(chan *httptest.ResponseRecorder, calls)
		for range calls {
			r := request(t, "r", "")
			r.Body, r.ContentLength = io.NopCloser(pad(size, &bytes)), size
			if chunked {
				r.ContentLength = -1
			}
			go func() {
				w := httptest.NewRecorder()
				b.gateway.ServeHTTP(w, r)
				b.witness.heard("r", r.Method, w.Code, w.Body.String())
				answers <- w
			}()
		}
		synctest.Wait()
		used, read = b.gateway.memory.Used(), bytes.Load()
		b.atOnce(t) // a small call
		shed = len(answers)
		for range shed {
			w := <-answers
			for _, words := range []string{`"code":-31020`, `"reason":"memory"`, `"retryable":true`, `"outcome":"not_sent"`, "(memory)"} {
				if body := w.Body.String(); w.Code != map[bool]int{false: 200, true: 503}[chunked] || !strings.Contains(body, words) || strings.Contains(body, `"id"`) == chunked {
					t.Fatalf("%s: %d %s", words, w.Code, body)
				}
			}
		}
		held = int(up.now.Load())
		close(up.finish)
		for range held {
			if w := <-answers; w.Body.String() != theWhole {
				t.Error(w.Body)
			}
		}
		synctest.Wait()
		if left := b.gateway.memory.Used(); left != 0 {
			t.Errorf("%d bytes are still taken", left)
		}
	})
	return held, shed, used, read
}

func TestFault_P09_BodiesAboveTheMemoryAreShedUnheld(t *testing.T) {
	const room = 2 << 20
	held, shed, used, read := pressure(t, room+1<<10, false)
	if held != 32 || shed != 168 || used != room || read != 200*64<<10 {
		t.Errorf("%d held, %d shed, %d bytes used, %d read; want 32, 168, their 2 MiB, and all for their ids", held, shed, used, read)
	}
	held, shed, used, _ = pressure(t, room+1<<10, true)
	if held+shed != 200 || held < 16 || held > 32 || used > room+1<<10 {
		t.Errorf("of unknown length: %d held, %d shed, %d bytes used", held, shed, used)
	}
	if held, shed, used, _ = pressure(t, 64<<20, false); held != 200 || shed != 0 || used != 200*64<<10 { // the control
		t.Errorf("with room for all: %d held, %d shed, %d bytes used", held, shed, used)
	}
}

// half sends half of an event that is as large as that, and the rest when finish is closed.
func half(size int, finish chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		send := events(w)
		send(event(progress) + "data: {\"jsonrpc\":\"2.0\",\"id\":9007199254740993,\"result\":\"" + strings.Repeat("x", size/2))
		select {
		case <-finish:
			send(strings.Repeat("x", size/2) + "\"}\n\n")
		case <-r.Context().Done():
		}
	}
}

func TestFault_P09_HeldEventsCountAndTheOneTooManyEndsWithAWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finish := make(chan struct{})
		b := beside(t, half(1<<20, finish), nil)
		b.gateway.memory.Adjust(1 << 20) // room for the halves of two
		answers := b.crowd(t, "", "r", 2)
		third := b.crowd(t, "", "r", 1)
		if used := b.gateway.memory.Used(); len(answers) != 0 || len(third) != 1 || used > 1<<20 || used < 2*(448<<10) {
			t.Fatalf("%d of two and %d of the third have ended, %d bytes are held", len(answers), len(third), used)
		}
		got := <-third
		for _, words := range []string{event(progress) + "event: message\ndata: ", `"id":9007199254740993`, `"code":-31020`, `"reason":"memory"`, `"outcome":"unknown"`, `"retryable":false`} {
			if !strings.Contains(got, words) {
				t.Errorf("%s: %s", words, got)
			}
		}
		b.gateway.memory.Adjust(256 << 20)
		b.atOnce(t)
		close(finish)
		for range 2 {
			if got := <-answers; len(got) < 1<<20 || strings.Contains(got, `"error"`) {
				t.Errorf("%d bytes: %.200s", len(got), got)
			}
		}
	})
}

func TestEventsAreCountedOnlyWhileTheyAreHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var used []int64
		var b *bench
		b = alone(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			send := events(w)
			for _, size := range []int{100, 1 << 20, 10, 200 << 10} {
				send("data: " + strings.Repeat("x", size) + "\n\n")
				<-time.After(time.Second)
				used = append(used, b.gateway.memory.Used())
			}
			send(event(callAnswer))
		}, nil)
		b.post(t, "r", callBody)
		for i, n := range used {
			if n != int64(len(callBody)) {
				t.Errorf("after event %d: %d bytes, want those of the request alone", i, n)
			}
		}
	})
}

func TestAnAnswerThereIsNoMemoryForIsPassedOnUnheld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := `{"jsonrpc":"2.0","id":9007199254740993,"result":"` + strings.Repeat("x", 500<<10) + `"}`
		for _, known := range []bool{true, false} {
			b := alone(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "application/json")
				if known {
					w.Header().Set("Content-Length", fmt.Sprint(len(answer)))
				}
				_, _ = io.WriteString(w, answer)
			}, nil)
			b.gateway.memory.Adjust(100 << 10)
			if _, body := b.post(t, "r", callBody); body != answer {
				t.Errorf("%d bytes, other than the %d sent", len(body), len(answer))
			}
			if n := b.gateway.memory.Sheds(); n != 1 {
				t.Errorf("the memory was short %d times: this shows nothing", n)
			}
			b.gateway.memory.Adjust(0)
			if _, body := b.post(t, "r", callBody); !strings.Contains(body, `"reason":"memory"`) {
				t.Errorf("a body without memory: %s", body)
			}
		}
	})
}

func TestATallyHoldsWhatIsReadAndNotPassedOn(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	for range 200 {
		m := bulkhead.NewMemory(1 << 20)
		held := tally{memory: m}
		base, free := int64(r.IntN(1000)), int64(r.IntN(3000))
		if err := held.take(base); err != nil {
			t.Fatal(err)
		}
		h, size := newHeldBody(strings.NewReader(strings.Repeat("x", 1<<16)), &held, free), int64(0)
		for range 50 {
			if n, err := h.Read(make([]byte, r.IntN(2000))); err == nil {
				size += int64(n)
			}
			if r.IntN(2) == 0 {
				passed := r.Int64N(size + 1)
				h.passed(int(passed))
				size -= passed
			}
			if want := base + max(0, size-free); m.Used() != want {
				t.Fatalf("%d bytes are taken, want %d", m.Used(), want)
			}
		}
		if held.keep(0); m.Used() != 0 {
			t.Fatalf("%d bytes are left", m.Used())
		}
	}
	held := tally{memory: bulkhead.NewMemory(10)}
	n, err := newHeldBody(strings.NewReader("01234567890"), &held, 0).Read(make([]byte, 20))
	if shed := (*bulkhead.Shed)(nil); n != 11 || !errors.As(err, &shed) || held.taken != 0 {
		t.Errorf("%d bytes, %v, %d taken", n, err, held.taken)
	}
}

func TestMemoryIsAdjustedByAReloadAlone(t *testing.T) {
	g, cfg := two(t)
	next := *cfg
	next.Memory = 1 << 20
	fits := func() bool {
		err := g.memory.Take(2 << 20)
		if err == nil {
			g.memory.Give(2 << 20)
		}
		return err == nil
	}
	no := errors.New("no")
	if _, err := g.Reload(t.Context(), &next, func(*config.Config) (func(), error) { return nil, no }); !errors.Is(err, no) || !fits() {
		t.Errorf("a reload that was refused: %v, 2 MiB fit: %v", err, fits())
	}
	if _, err := g.Diff(&next); err != nil || !fits() {
		t.Errorf("a diff: %v, 2 MiB fit: %v", err, fits())
	}
	if _, err := g.Reload(t.Context(), &next, nil); err != nil {
		t.Error(err)
	}
	if fits() || g.Status().Memory.Limit != 1<<20 {
		t.Errorf("after the reload: %+v", g.Status().Memory)
	}
}
