package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"reflect"

	"signet/config"
)

// terms are what a TCP listener takes connections on: https by one certificate. Nil terms are http. A
// connection keeps those that it was accepted on.
type terms struct {
	settings config.ListenTLS
	tls      *tls.Config
}

// newTerms are the terms of a config: old ones if they are the same, so that callers may resume their sessions.
func newTerms(c config.ListenTLS, old *terms) (*terms, error) {
	if old != nil && reflect.DeepEqual(old.settings, c) {
		return old, nil
	}
	server, err := c.Server()
	if server == nil || err != nil {
		return nil, err
	}
	return &terms{settings: c, tls: server}, nil
}

// take makes a server's end of a connection.
func (t *terms) take(c net.Conn) net.Conn {
	if t == nil {
		return c
	}
	return tls.Server(taken{c, t}, t.tls)
}

// sameCallers reports whether those who may connect on t are those who may on o.
func (t *terms) sameCallers(o *terms) bool {
	if t == nil || o == nil {
		return t == o
	}
	return t == o || t.settings.SameCallers(o.settings)
}

// A taken is a connection below its TLS, which knows its terms.
type taken struct {
	net.Conn
	terms *terms
}

// termsKey is the key of a request's terms in its context.
type termsKey struct{}

// remember notes the terms of a connection for its requests. It is the ConnContext of a server.
func remember(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(*tls.Conn); ok {
		return context.WithValue(ctx, termsKey{}, secure.NetConn().(taken).terms)
	}
	return ctx
}

// newcomersOnly lets a connection end with the answer to its next request once current has terms on which
// others may call than on its own: when https was turned on, or another CA issues the callers' certificates.
// What is under way is not cut, and a renewed certificate ends nothing.
func newcomersOnly(current func() *terms, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if own, _ := r.Context().Value(termsKey{}).(*terms); !own.sameCallers(current()) {
			w.Header().Set("Connection", "close") // over HTTP/2 it becomes a GOAWAY
		}
		next.ServeHTTP(w, r)
	})
}
