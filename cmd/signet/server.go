package main

import (
	"io"
	"log"
	"log/slog"
	"net/http"
	"time"
)

const (
	// maxHeaderFields is how many header fields a request may have. Clients send about a dozen.
	maxHeaderFields = 100

	// maxHeader bounds the bytes of a request's head.
	maxHeader = 32 << 10

	// maxHeaderRead is where net/http stops to read a head and answers 431 in words of its own. Up to here
	// the answer is a JSON-RPC error.
	maxHeaderRead = 2 * maxHeader
)

// newServer is the http.Server of one listener. It has no ReadTimeout and no WriteTimeout: either would
// cut event streams. The gateway sets a deadline of its own for each read of a body and each write.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		DisableGeneralOptionsHandler: true, // its 200 to OPTIONS * asks nobody whether the caller may come in
		Handler:                      fewHeaders(oneFraming(h)),
		ReadHeaderTimeout:            10 * time.Second,
		IdleTimeout:                  120 * time.Second,
		MaxHeaderBytes:               maxHeaderRead,
		ErrorLog:                     calmly(log),
	}
}

func calmly(to *slog.Logger) *log.Logger { return log.New(&calmLog{log: to}, "", 0) }

// fewHeaders answers 431 to a request whose head has more than maxHeaderFields fields or maxHeader bytes.
func fewHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fields, size := 0, len(r.Method)+len(r.RequestURI)+len(r.Host)
		for name, values := range r.Header {
			fields += len(values)
			for _, value := range values {
				size += len(name) + len(value) + len(": \r\n")
			}
		}
		if fields <= maxHeaderFields && size <= maxHeader {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge)
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","error":{"code":-32600,"message":"signet: too many header fields, or too long ones"}}`)
	})
}

// oneFraming lets a connection end with the answer to a request in chunks. It may have had a Content-Length as
// well, which net/http drops without a word; a proxy that went by that would take the rest of this request for
// the next one (RFC 9112, 6.1). So would one that takes a CONNECT for the beginning of a tunnel.
func oneFraming(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 || r.Method == http.MethodConnect {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
