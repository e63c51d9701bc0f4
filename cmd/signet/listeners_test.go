package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"signet/config"
)

func newTestListeners(t *testing.T) *listeners {
	t.Helper()
	ls := newListeners(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { ls.close(0) })
	return ls
}

func answer(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

// apply prepares and commits, as a reload does.
func apply(t *testing.T, ls *listeners, h http.Handler, addresses ...string) {
	t.Helper()
	b, err := ls.prepare(addresses, config.ListenTLS{})
	if err != nil {
		t.Fatal(err)
	}
	b.commit(h, time.Minute)
}

// fetch gets url by a connection of its own.
func fetch(t *testing.T, url string) (string, error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return string(body), err
}

func TestPreparedListenerAnswersOnlyAfterCommit(t *testing.T) {
	ls := newTestListeners(t)
	b, err := ls.prepare([]string{"127.0.0.1:0"}, config.ListenTLS{})
	if err != nil {
		t.Fatal(err)
	}
	if len(ls.urls()) != 0 {
		t.Error("a listener is open before the commit")
	}
	b.commit(answer("served"), time.Minute)
	if got, err := fetch(t, ls.urls()[0]); got != "served" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestDiscardGivesTheAddressBack(t *testing.T) {
	ls := newTestListeners(t)
	b, err := ls.prepare([]string{"127.0.0.1:0"}, config.ListenTLS{})
	if err != nil {
		t.Fatal(err)
	}
	address := b.bound[0].Addr().String()
	b.discard()
	apply(t, ls, answer("again"), address)
}

func TestFault_K09_OneBadAddressBindsNone(t *testing.T) {
	holder, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	ls := newTestListeners(t)
	_, err = ls.prepare([]string{address, holder.Addr().String()}, config.ListenTLS{})
	if !errors.Is(err, errAddressInUse) || !strings.Contains(err.Error(), holder.Addr().String()) {
		t.Errorf("error %v does not say that %s is in use", err, holder.Addr())
	}
	apply(t, ls, answer("free"), address)
}

func TestKeptListenerKeepsItsSocket(t *testing.T) {
	ls := newTestListeners(t)
	apply(t, ls, answer("one"), "127.0.0.1:0")
	before := ls.open["127.0.0.1:0"]
	apply(t, ls, answer("one"), "127.0.0.1:0", "[::1]:0")
	if ls.open["127.0.0.1:0"] != before {
		t.Error("a listener that both configs have was bound anew")
	}
	if len(ls.urls()) != 2 {
		t.Errorf("open: %v, want two", ls.urls())
	}
}

// Row K09: a port that moves.
func TestFault_K09_MovedListenerServesAndTheOldOneLetsItsRequestEnd(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(entered)
			<-leave
		}
		_, _ = io.WriteString(w, "whole")
	})
	ls := newTestListeners(t)
	apply(t, ls, slow, "127.0.0.1:0")
	url := ls.urls()[0]
	body := make(chan string, 1)
	go func() {
		got, _ := fetch(t, url+"/slow")
		body <- got
	}()
	<-entered
	apply(t, ls, slow, "[::1]:0")
	if got, err := fetch(t, ls.urls()[0]); got != "whole" {
		t.Errorf("the new listener answers %q, %v", got, err)
	}
	if _, err := fetch(t, url); err == nil {
		t.Error("a removed listener still accepts")
	}
	close(leave)
	if got := <-body; got != "whole" {
		t.Errorf("the request under way got %q", got)
	}
}

// stuck has a request under way that does not end by itself; ended tells how it did.
func stuck(t *testing.T, ls *listeners) (ended <-chan error) {
	t.Helper()
	entered := make(chan struct{})
	apply(t, ls, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}), "127.0.0.1:0")
	url, told := ls.urls()[0], make(chan error, 1)
	go func() {
		_, err := fetch(t, url)
		told <- err
	}()
	<-entered
	return told
}

func TestListenerIsClosedWhenTheGraceIsOver(t *testing.T) {
	ls := newTestListeners(t)
	ended := stuck(t, ls)
	if cut := ls.close(time.Millisecond); cut != 1 {
		t.Errorf("%d connections cut, want 1", cut)
	}
	if err := <-ended; err == nil {
		t.Error("a request that outlived the grace ended as if it were done")
	}
}

func TestRemovedListenerIsClosedWhenTheDrainIsOver(t *testing.T) {
	ls := newTestListeners(t)
	ended := stuck(t, ls)
	b, err := ls.prepare(nil, config.ListenTLS{})
	if err != nil {
		t.Fatal(err)
	}
	b.commit(nil, time.Millisecond)
	if err := <-ended; err == nil {
		t.Error("a request that outlived the drain ended as if it were done")
	}
	if cut := ls.close(0); cut != 0 {
		t.Errorf("%d connections cut at the end, want none: that one was long ago", cut)
	}
}

// Its own drain was an hour: the end of the program, or a second signal, did not end it.
func TestListenerRemovedBeforeEndsWithTheOthers(t *testing.T) {
	ls := newTestListeners(t)
	ended := stuck(t, ls)
	b, err := ls.prepare(nil, config.ListenTLS{})
	if err != nil {
		t.Fatal(err)
	}
	b.commit(nil, time.Hour)
	if cut := ls.close(time.Millisecond); cut != 1 {
		t.Errorf("%d connections cut, want 1", cut)
	}
	if err := <-ended; err == nil {
		t.Error("the request ended as if it were done")
	}
}

func TestListenerThatDiesIsToldToTheProgram(t *testing.T) {
	ls := newTestListeners(t)
	b, err := ls.prepare([]string{"127.0.0.1:0"}, config.ListenTLS{})
	if err != nil {
		t.Fatal(err)
	}
	b.bound[0].Listener = brokenListener{b.bound[0].Listener}
	b.commit(answer(""), time.Minute)
	if err := <-ls.failed; !errors.Is(err, errBroken) {
		t.Errorf("told %v", err)
	}
}

var errBroken = errors.New("broken")

type brokenListener struct{ net.Listener }

func (brokenListener) Accept() (net.Conn, error) { return nil, errBroken }
