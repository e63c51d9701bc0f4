package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// A holding is an upstream that begins an answer and finishes it when it is told to. Of calls named "stream" it sends an
// event first; those named "quick" it answers at once.
type holding struct {
	route  config.Route
	open   atomic.Int32  // connections
	proto  atomic.Value  // of the last request
	finish chan struct{} // closed: every answer is finished
}

// hold serves a holding at https://name on the network, over HTTP/2 or 1.1.
func hold(t *testing.T, n *network, name string, http2 bool) *holding {
	t.Helper()
	pair, certFile, _ := certify(t, time.Now().Add(24*time.Hour))
	h := &holding{finish: make(chan struct{})}
	server := &http.Server{
		Handler:   http.HandlerFunc(h.serve),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}},
		ErrorLog:  log.New(io.Discard, "", 0), // of handshakes that a reload interrupts
		ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				h.open.Add(1)
			case http.StateClosed:
				h.open.Add(-1)
			}
		},
	}
	l := n.listen(t, net.JoinHostPort(name, "443"))
	go func() { _ = server.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = server.Close() })
	h.route = plain("https://" + name + "/mcp")
	h.route.TLS.CAFile, h.route.TLS.ServerName, h.route.Pool.HTTP2 = certFile, "127.0.0.1", http2
	h.route.Limits.Calls = h.route.Pool.MaxConnections // calls in hundreds are held
	return h
}

func (h *holding) serve(w http.ResponseWriter, r *http.Request) {
	h.proto.Store(r.Proto)
	_, _ = io.Copy(io.Discard, r.Body)
	last := callAnswer
	if r.Header.Get("Mcp-Name") == "stream" {
		events(w)(event(progress))
		last = event(callAnswer)
	} else {
		w.Header().Set("Content-Type", "application/json")
	}
	finish := h.finish
	if r.Header.Get("Mcp-Name") == "quick" {
		finish = closedAlready()
	}
	select {
	case <-finish:
		_, _ = io.WriteString(w, last)
	case <-r.Context().Done():
	}
}

func closedAlready() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// begin sends so many calls, and as many streams, and returns where their answers come.
func begin(t *testing.T, b *bench, route string, each int) <-chan string {
	t.Helper()
	answers := make(chan string, 2*each)
	for range each {
		for _, name := range []string{"call", "stream"} {
			r := request(t, route, callBody)
			r.Header.Set("Mcp-Name", name)
			go func() {
				_, body := b.do(t, r)
				answers <- body
			}()
		}
	}
	synctest.Wait()
	return answers
}

// without is cfg without a route.
func without(cfg *config.Config, name string) *config.Config {
	next := *cfg
	next.Routes = maps.Clone(cfg.Routes)
	delete(next.Routes, name)
	return &next
}

// overBoth plays over HTTP/1.1 and HTTP/2, in a bubble each.
func overBoth(t *testing.T, play func(t *testing.T, h *holding, b *bench, cfg *config.Config)) {
	t.Helper()
	for proto, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(proto, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				h := hold(t, n, "up.test", http2)
				other := plain(upstream(t, n, "other.test", answering(callAnswer)))
				cfg := settings(map[string]config.Route{"r": h.route, "s": other})
				play(t, h, newBench(t, n, cfg, Options{}), cfg)
				if h.proto.Load() != proto {
					t.Errorf("it was played over %v", h.proto.Load())
				}
			})
		})
	}
}

func TestFault_K10_CallsOfARemovedRouteRunToTheDrainAndEndWithALastWord(t *testing.T) {
	overBoth(t, func(t *testing.T, h *holding, b *bench, cfg *config.Config) {
		const each = 50
		began, answers := time.Now(), begin(t, b, "r", each)
		if _, err := b.gateway.Reload(t.Context(), without(cfg, "r"), nil); err != nil {
			t.Fatal(err)
		}
		for range 29 {
			if response, body := b.post(t, "r", callBody); response.StatusCode != 200 || !strings.Contains(body, `"code":-31040`) {
				t.Fatalf("the removed route answers a new call with %d %s", response.StatusCode, body)
			}
			if _, body := b.post(t, "s", callBody); body != callAnswer {
				t.Fatalf("the other route: %s", body)
			}
			<-time.After(time.Second)
			if len(answers) > 0 {
				t.Fatalf("after %s there is an answer: %s", time.Since(began), <-answers)
			}
		}
		if s := b.gateway.Status().Retiring; s != (RetiringStatus{Routes: 1, Calls: 2 * each}) {
			t.Errorf("held are %+v", s)
		}
		words := 0
		for range 2 * each {
			words += strings.Count(<-answers, `"code":-31021`)
		}
		if took := time.Since(began); words != 2*each || took != cfg.Drain {
			t.Errorf("%d of %d got a last word, after %s", words, 2*each, took)
		}
		synctest.Wait()
		if open, s := h.open.Load(), b.gateway.Status().Retiring; open != 0 || s != (RetiringStatus{}) {
			t.Errorf("after the drain %d connections are open, held are %+v", open, s)
		}
	})
}

func TestWhatARemovedRouteUsedGoesBackWhenItsLastCallHasLeft(t *testing.T) {
	for name, end := range map[string]func(h *holding, b *bench, leave func()){
		"they finish":       func(h *holding, _ *bench, _ func()) { close(h.finish) },
		"their clients go":  func(_ *holding, _ *bench, leave func()) { leave() },
		"the drain is over": func(*holding, *bench, func()) { <-time.After(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, h *holding, b *bench, cfg *config.Config) {
				b.post(t, "s", callBody)
				b.client.CloseIdleConnections()
				synctest.Wait()
				before := ofThisBubble(t)
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				const calls = 6
				done := make(chan struct{}, calls)
				for i := range calls {
					r := request(t, "r", callBody).WithContext(ctx)
					r.Header.Set("Mcp-Name", []string{"call", "stream"}[i%2])
					go func() {
						if response, err := b.client.Do(r); err == nil {
							_, _ = io.Copy(io.Discard, response.Body)
							_ = response.Body.Close()
						}
						done <- struct{}{}
					}()
				}
				synctest.Wait()
				if _, err := b.gateway.Reload(t.Context(), without(cfg, "r"), nil); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if h.open.Load() == 0 || b.gateway.Status().Retiring.Calls != calls {
					t.Fatalf("%d connections under %+v", h.open.Load(), b.gateway.Status().Retiring)
				}
				end(h, b, leave)
				for range calls {
					<-done
				}
				b.client.CloseIdleConnections()
				synctest.Wait()
				if open, now := h.open.Load(), ofThisBubble(t); open != 0 || now > before {
					t.Errorf("%d connections and %d goroutines are left, of before %d", open, now, before)
				}
			})
		})
	}
}

// ofThisBubble counts the goroutines of the caller's bubble: those of the whole program come and go as other
// tests' connections end and the collector works.
func ofThisBubble(t *testing.T) int {
	t.Helper()
	stack := func(all bool) string {
		for size := 1 << 16; ; size *= 2 {
			if text := make([]byte, size); runtime.Stack(text, all) < size {
				return string(text)
			}
		}
	}
	_, rest, _ := strings.Cut(stack(false), "synctest bubble ")
	id, _, ok := strings.Cut(rest, "]")
	if !ok {
		t.Fatal("not in a bubble, or the runtime writes it otherwise by now")
	}
	return strings.Count(stack(true), "synctest bubble "+id+"]")
}

// crowd is a gateway of so many routes with one call each, all replaced, and where their answers come.
func crowd(t *testing.T, routes int) (*holding, *bench, *config.Config, []<-chan string) {
	t.Helper()
	n := newNetwork()
	h := hold(t, n, "up.test", false)
	all := map[string]config.Route{}
	for i := range routes {
		all[fmt.Sprint("r", i)] = h.route
	}
	cfg := settings(all)
	b := newBench(t, n, cfg, Options{})
	var answers []<-chan string
	next := *cfg
	next.Routes = map[string]config.Route{}
	for name, r := range all {
		answer := make(chan string, 1)
		q := request(t, name, callBody)
		go func() { _, body := b.do(t, q); answer <- body }()
		answers = append(answers, answer)
		r.Headers = map[string]string{"X-Edition": "2"}
		next.Routes[name] = r
	}
	synctest.Wait()
	if _, err := b.gateway.Reload(t.Context(), &next, nil); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return h, b, &next, answers
}

func TestAReloadWaitsWhileTooManyReplacedRoutesAreHeld(t *testing.T) {
	for routes, waits := range map[int]bool{maxRetired: false, maxRetired + 1: true} {
		synctest.Test(t, func(t *testing.T) {
			h, b, cfg, answers := crowd(t, routes)
			began, applied := time.Now(), make(chan error, 1)
			go func() {
				_, err := b.gateway.Reload(t.Context(), without(cfg, "r0"), nil)
				applied <- err
			}()
			<-time.After(10 * time.Second)
			if waited := len(applied) == 0; waited != waits || b.gateway.Status().Retiring.Calls != routes {
				t.Errorf("with %d held, waits: %v; %+v", routes, waited, b.gateway.Status().Retiring)
			}
			if _, err := b.gateway.Diff(cfg); err != nil {
				t.Errorf("a diff meanwhile: %v", err)
			}
			close(h.finish)
			if err := <-applied; err != nil || time.Since(began) != 10*time.Second {
				t.Errorf("%v after %s; want it as soon as one has ended", err, time.Since(began))
			}
			for _, answer := range answers {
				if got := <-answer; got != callAnswer {
					t.Errorf("a call of a replaced route: %s", got)
				}
			}
			if n := b.gateway.Status().Snapshot.Number; n != 3 {
				t.Errorf("snapshot %d", n)
			}
		})
	}
}

func TestAReloadThatWaitsEndsWithItsContextAndWithTheGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, b, cfg, answers := crowd(t, maxRetired+1)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := b.gateway.Reload(ctx, cfg, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the context's", err)
		}
		if s := b.gateway.Status(); s.Snapshot.Number != 2 || !s.LastReload.OK {
			t.Errorf("a reload that was given up left its mark: %+v", s)
		}
		waits := make(chan error, 1)
		go func() { _, err := b.gateway.Reload(t.Context(), cfg, nil); waits <- err }()
		synctest.Wait()
		began := time.Now()
		end, hurry := context.WithTimeout(context.Background(), 2*time.Second)
		defer hurry()
		var cut *CutError
		if err := b.gateway.Shutdown(end); !errors.As(err, &cut) || cut.Calls != maxRetired+1 || time.Since(began) != 2*time.Second {
			t.Errorf("%v after %s; want the calls of replaced routes cut as well, after 2 s", err, time.Since(began))
		}
		if err := <-waits; !errors.Is(err, errDraining) {
			t.Errorf("the reload that waited: %v", err)
		}
		for _, answer := range answers {
			if got := <-answer; !strings.Contains(got, `"code":-31021`) {
				t.Errorf("no last word: %s", got)
			}
		}
	})
}
