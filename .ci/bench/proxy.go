package main

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// serveProxy serves a yardstick until it is killed: "plain" is an httputil.ReverseProxy as it comes, "tuned" the
// best that can be had of one without signing anything.
func serveProxy(kind, address, upstream string) error {
	target, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	switch kind {
	case "plain":
	case "tuned":
		proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 4096, IdleConnTimeout: time.Minute, DisableCompression: true}
		proxy.BufferPool = newBuffers()
	default:
		return fmt.Errorf("no proxy is called %q", kind)
	}
	return http.ListenAndServe(address, proxy)
}

// buffers are what a tuned proxy copies bodies with.
type buffers struct{ sync.Pool }

func newBuffers() *buffers {
	return &buffers{sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}}
}

// Get is a buffer that is nobody else's until it is put back.
func (b *buffers) Get() []byte { return *b.Pool.Get().(*[]byte) }

// Put gives a buffer back.
func (b *buffers) Put(p []byte) { b.Pool.Put(&p) }
