package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// maxBody is the longest request that a hop takes.
const maxBody = 16 << 20

// A hop stands between the gateway and an upstream. It passes on what is signed with its key, and refuses the
// rest. It is safe for concurrent use.
type hop struct {
	key   key
	next  http.Handler
	cause atomic.Pointer[string] // why the latest was refused

	verified, refused atomic.Int64
}

// newHop makes a hop in front of exactly that URL.
func newHop(k key, upstream *url.URL) *hop {
	return &hop{key: k, next: unsigned(forward(upstream, false))}
}

func (h *hop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := read(r)
	if err == nil {
		err = h.key.verify(r, body, time.Now())
	}
	if err != nil {
		cause := err.Error()
		h.cause.Store(&cause)
		h.refused.Add(1)
		w.Header().Set("X-Amzn-Errortype", "InvalidSignatureException")
		http.Error(w, `{"message":"not signed for this upstream"}`, http.StatusForbidden)
		return
	}
	h.verified.Add(1)
	h.next.ServeHTTP(w, r)
}

// read is a request's body, which it still has after.
func read(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, err
}

// unsigned takes the signature off a request.
func unsigned(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if name == "Authorization" || strings.HasPrefix(name, "X-Amz-") {
				r.Header.Del(name)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// forgetful is next, but it drops the session that a server begins: a hop that clients notice.
func forgetful(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&forgetting{w}, r)
	})
}

// A forgetting writes an answer without its session.
type forgetting struct{ http.ResponseWriter }

func (f *forgetting) WriteHeader(status int) {
	f.Header().Del("Mcp-Session-Id")
	f.ResponseWriter.WriteHeader(status)
}

// Unwrap is what http.ResponseController flushes.
func (f *forgetting) Unwrap() http.ResponseWriter { return f.ResponseWriter }

// forward passes requests on to exactly that URL, whatever path they came by. A request must have its whole body
// at hand (see read), or net/http may cut an answer that begins before the body was sent: golang/go#40747.
func forward(to *url.URL, keepHost bool) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			target := *to
			r.Out.URL = &target
			if !keepHost {
				r.Out.Host = to.Host
			}
		},
		FlushInterval: -1, // at once
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
		ErrorLog:      log.New(io.Discard, "", 0), // callers that leave; a scenario says what it misses
	}
}
