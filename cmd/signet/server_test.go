package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRequestWithTooManyHeaderFieldsIsAnswered431(t *testing.T) {
	for fields, want := range map[int]int{maxHeaderFields: 204, maxHeaderFields + 1: 431} {
		r := httptest.NewRequest(http.MethodPost, "/aws", nil)
		for n := range fields / 2 {
			r.Header.Add("X-Same", "value")
			r.Header.Add(fmt.Sprint("X-", n), "value")
		}
		for n := range fields % 2 {
			r.Header.Add(fmt.Sprint("X-Odd-", n), "value")
		}
		w := httptest.NewRecorder()
		fewHeaders(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%d fields: status %d, want %d", fields, w.Code, want)
		}
		if want == 431 && !strings.Contains(w.Body.String(), `"code":-32600`) {
			t.Errorf("body %q is no JSON-RPC error", w.Body)
		}
	}
}

func TestServerNeverCutsAStream(t *testing.T) {
	s := newServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if s.WriteTimeout != 0 || s.ReadTimeout != 0 {
		t.Errorf("write timeout %v, read timeout %v: both end event streams", s.WriteTimeout, s.ReadTimeout)
	}
	if s.ReadHeaderTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes == 0 {
		t.Errorf("a wait or a size has no bound: %+v", s)
	}
}
