//go:build unix

package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
)

// crowd has so many calls held on each of the routes json and stream; their answers come on the channel.
func crowd(t *testing.T, p *process, h *holding, each int) <-chan string {
	t.Helper()
	answers := make(chan string, 2*each)
	for range each {
		for _, route := range []string{"json", "stream"} {
			c := p.caller(t)
			go func() { answers <- c.call(route, theMessage) }()
		}
	}
	for range 2 * each {
		<-h.arrived
	}
	return answers
}

const terminal31021 = `{"jsonrpc":"2.0","id":1,"error":{"code":-31021,`

// isDraining waits until who is connected is told so, and nobody else is let in.
func isDraining(t *testing.T, p *process, known *caller) {
	t.Helper()
	becomes(t, "readiness is 503", func() bool { return known.page("/-/ready") == http.StatusServiceUnavailable })
	becomes(t, "nobody is accepted", func() bool {
		c, err := net.Dial("tcp", p.address)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
}

// Row P05.
func TestFault_P05_CallsUnderWayEndAfterTERM(t *testing.T) {
	const each = 50
	h, url := holdAll(t)
	p := attend(t, "", routes(url, "drain: 1h"))
	answers, known := crowd(t, p, h, each), p.caller(t)
	if got := known.page("/-/ready"); got != http.StatusOK {
		t.Fatal(got)
	}
	p.besides(t, known)
	p.signal(t, syscall.SIGTERM)
	isDraining(t, p, known)
	if got := known.call("quick", theMessage); !strings.HasPrefix(got, "200 "+terminal31021) {
		t.Errorf("a new call on an old connection: %s", got)
	}
	for range 2 * each {
		h.answer <- struct{}{}
		if got := <-answers; !strings.HasPrefix(got, "200 ") || !strings.Contains(got, aResult) {
			t.Error(got)
		}
	}
	if code := <-p.ended; code != exitOK { // long before the drain is over
		t.Errorf("exit code %d: %s", code, p.log)
	}
}

// Row P05, of the calls that outlive the drain. A stream that listens ends with an error as they do: the graceful
// result of the protocol comes with the aggregate, which owns such streams.
func TestFault_P05_WhatOutlivesTheDrainIsToldSo(t *testing.T) {
	const each = 50
	h, url := holdAll(t)
	p := attend(t, "", routes(url, "drain: 100ms"))
	answers := crowd(t, p, h, each)
	p.besides(t, p.caller(t))
	p.signal(t, syscall.SIGTERM)
	for range 2 * each {
		if got := <-answers; !strings.HasPrefix(got, "200 ") || !strings.Contains(got, terminal31021) {
			t.Error(got)
		}
	}
	if code := <-p.ended; code != exitOK {
		t.Errorf("exit code %d: %s", code, p.log)
	}
	if text := p.log.String(); !strings.Contains(text, `"draining"`) || !strings.Contains(text, "100 calls") {
		t.Error(text)
	}
}

// Row P06.
func TestFault_P06_ASecondSignalEndsAtOnceWithALastWordForAll(t *testing.T) {
	for _, second := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(second.String(), func(t *testing.T) {
			h, url := holdAll(t)
			p := attend(t, "", routes(url, "drain: 1h"))
			answers, known := crowd(t, p, h, 5), p.caller(t)
			p.besides(t, known)
			p.attendance.blind = "a second signal does not wait for spans to be written"
			p.signal(t, syscall.SIGTERM)
			becomes(t, "readiness is 503", func() bool { return known.page("/-/ready") == http.StatusServiceUnavailable })
			select {
			case got := <-answers:
				t.Errorf("after the first signal: %s", got)
			default:
			}
			p.signal(t, second)
			for range 10 {
				if got := <-answers; !strings.Contains(got, terminal31021) {
					t.Error(got)
				}
			}
			if code := <-p.ended; code != exitOK {
				t.Errorf("exit code %d: %s", code, p.log)
			}
		})
	}
}

// Rows P05 and P06: a client that stops reading cannot be told, and holds up nothing. It stops inside an event that no
// kernel's buffers hold, so that the gateway is known to be writing then: "took nothing for a while" was true of a
// slow machine too, whose client could be told after all.
func TestFault_P06_AClientThatTakesNoLastWordIsCutOffAndCountedAsSuch(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: "+strings.Repeat("x", 16<<20)+"\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(up.Close)
	p := attend(t, "", routes(up.URL, "drain: 1h"))
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(strings.Replace(post(p.address, theMessage), "/r", "/stream", 1))); err != nil {
		t.Fatal(err)
	}
	for reader := bufio.NewReaderSize(conn, 4<<10); ; {
		line, err := reader.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(line), "data: x") {
			break
		}
	}
	known := p.caller(t)
	p.besides(t, known)
	p.attendance.heard("stream", `the beginning of {"jsonrpc"`) // whose span, if it is written, says that the client left
	p.attendance.blind = "a second signal does not wait for spans to be written"
	p.signal(t, syscall.SIGTERM)
	becomes(t, "readiness is 503", func() bool { return known.page("/-/ready") == http.StatusServiceUnavailable })
	p.signal(t, syscall.SIGTERM)
	if code := <-p.ended; code != exitRuntime || !strings.Contains(p.log.String(), "before their calls had a last word: 1") {
		t.Errorf("exit code %d: %s", code, p.log)
	}
}
