package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// The rows F01 to F04, F12 and F22 of the fault table: upstreams that are not reached, or say nothing.

func TestFault_F01_ARefusedConnectionIsDialledTwiceAtMost(t *testing.T) {
	for retries, dials := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			_ = n.listen(t, "up.test:80").Close()
			r := plain("http://up.test/mcp")
			r.Retry.Max = retries
			f := newFailing(t, n, r)
			f.want(t, callBody, failure{-31001, "refused", "not_sent", true, 0})
			if n.dialed("up.test:80") != dials {
				t.Errorf("%d dials, want %d", n.dialed("up.test:80"), dials)
			}
			got := f.attempts("signet.attempt", "error.type", "signet.retry.reason", "http.request.resend_count")
			want := []string{"signet.attempt=1 error.type=refused", "signet.attempt=2 error.type=refused signet.retry.reason=refused http.request.resend_count=1"}
			if !slices.Equal(got, want[:dials]) {
				t.Errorf("attempts %q, want %q", got, want[:dials])
			}
		})
	}
}

func TestFault_F02_ANameThatNobodyKnowsOrAnswersForIsBounded(t *testing.T) {
	// What all resolvers share is made when the first looks something up. Made in a bubble it is the bubble's, and
	// ends the program when another looks something up.
	none := net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }}
	_, _ = none.LookupHost(t.Context(), "nowhere.test")
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		f := newFailing(t, n, plain("http://nowhere.test/mcp"))
		f.want(t, callBody, failure{-31001, "dns", "not_sent", true, 0})
		if n.dialed("nowhere.test:80") != 1 {
			t.Errorf("%d look-ups of a name that is unknown", n.dialed("nowhere.test:80"))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		silent := net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			return ours, nil
		}}}
		n.through("up.test:80", func(ctx context.Context, _ dialer) (net.Conn, error) {
			return silent.DialContext(ctx, "tcp", "up.test:80")
		})
		f := newFailing(t, n, plain("http://up.test/mcp"))
		if answer := f.want(t, callBody, failure{-31001, "dns", "not_sent", true, 5 * time.Second}); strings.Contains(answer, "no such host") {
			t.Error(answer)
		}
		<-time.After(time.Minute) // the resolver goes on asking for a while
	})
}

// discard is a log of what nobody reads.
func discard() *log.Logger { return log.New(io.Discard, "", 0) }

// blackHole has an address dialled in vain.
func blackHole(n *network, address string) {
	n.through(address, func(ctx context.Context, _ dialer) (net.Conn, error) {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: context.Cause(ctx)}
	})
}

func TestFault_F03_ABlackHoleIsGivenUpAfterTimeoutsConnect(t *testing.T) {
	for _, body := range []string{callBody, listBody} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			blackHole(n, "up.test:80")
			newFailing(t, n, plain("http://up.test/mcp")).want(t, body, failure{-31002, "connect", "not_sent", true, 5 * time.Second})
			if n.dialed("up.test:80") != 1 {
				t.Errorf("%d dials: a wait that ran out was begun anew", n.dialed("up.test:80"))
			}
		})
	}
}

func TestFault_F04_AnUpstreamThatNeverAnswersIsLeftAndNotAskedAgain(t *testing.T) {
	for _, body := range []string{callBody, listBody} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			var asked atomic.Int32
			left := make(chan struct{})
			f := newFailing(t, n, plain(upstream(t, n, "up.test", func(_ http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
				close(left)
			})))
			f.want(t, body, failure{-31002, "first_byte", "unknown", false, 120 * time.Second})
			<-left
			if asked.Load() != 1 {
				t.Errorf("%d requests", asked.Load())
			}
		})
	}
}

func TestFault_F12_ATLSHandshakeThatStallsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		l := n.listen(t, "up.test:443")
		go func() {
			conn, err := l.Accept()
			if err == nil {
				_, _ = io.Copy(io.Discard, conn)
			}
		}()
		f := newFailing(t, n, plain("https://up.test/mcp"))
		if answer := f.want(t, callBody, failure{-31002, "connect", "not_sent", true, 5 * time.Second}); !strings.Contains(answer, "the TLS handshake did not end (timeouts.tls, 5s)") {
			t.Error(answer)
		}
	})
}

func TestFault_F12_WhatIsNoTLSOfTodayIsRefusedAndNothingIsSentInTheClear(t *testing.T) {
	for name, config := range map[string]*tls.Config{"TLS 1.1": {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "plain HTTP": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				pair, certFile, _ := certify(t, time.Now().Add(time.Hour))
				var asked atomic.Int32
				server := &http.Server{ErrorLog: discard(), Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) })}
				l := n.listen(t, "up.test:443")
				if config != nil {
					config.Certificates = []tls.Certificate{pair}
					l = tls.NewListener(l, config)
				}
				go func() { _ = server.Serve(l) }()
				t.Cleanup(func() { _ = server.Close() })
				r := plain("https://up.test/mcp")
				r.TLS.CAFile = certFile
				newFailing(t, n, r).want(t, callBody, failure{-31001, "tls", "not_sent", true, 0})
				if asked.Load() != 0 {
					t.Error("something was asked in the clear")
				}
			})
		})
	}
}

func TestFault_F22_AnUpstreamThatMovedIsFoundAfterOneDialError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var asked atomic.Int32
		answer := func(w http.ResponseWriter, r *http.Request) { asked.Add(1); answering(callAnswer)(w, r) }
		was := plain(upstream(t, n, "up.test", answer))
		dials := 0
		n.through("up.test:80", func(ctx context.Context, dial dialer) (net.Conn, error) {
			if dials++; dials == 1 { // the address that the name had
				return nil, &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}
			}
			return dial(ctx, "", "")
		})
		f := newFailing(t, n, was)
		if _, body := f.post(t, "r", callBody); body != callAnswer || asked.Load() != 1 || dials != 2 {
			t.Errorf("%d dials, %d requests: %s", dials, asked.Load(), body)
		}
		if got := f.attempts("error.type"); !slices.Equal(got, []string{"error.type=refused", ""}) {
			t.Errorf("attempts %q", got)
		}
		f.atOnce(t)
		<-time.After(51 * time.Second) // the connection has been idle for longer than pool.idle_timeout
		if _, body := f.post(t, "r", callBody); body != callAnswer || dials != 3 {
			t.Errorf("%d dials: a name is not looked up again: %s", dials, body)
		}
	})
}

func TestAConnectionThatBreaksBeforeItIsOneIsAClassOfItsOwn(t *testing.T) {
	for want, err := range map[string]error{
		"the proxy answered 407 Proxy Authentication Required": &proxyError{http.StatusProxyAuthRequired},
		noConnection: errors.New("EOF"),
	} {
		if reason, text := whyUnreachable(err); reason != "refused" || text != want {
			t.Errorf("%v: %s %q", err, reason, text)
		}
	}
}

// tlsConfig is a server's with one certificate.
func tlsConfig(pair tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

func tlsListener(l net.Listener, pair tls.Certificate) net.Listener {
	return tls.NewListener(l, tlsConfig(pair))
}
