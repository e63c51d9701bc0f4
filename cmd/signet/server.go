package main

import (
	"io"
	"log/slog"
	"net/http"
	"time"
)

// maxHeaderFields is how many header fields a request may have. Clients send about a dozen.
const maxHeaderFields = 100

// newServer is the http.Server of one listener. It has no ReadTimeout and no WriteTimeout: either would
// cut event streams. The gateway sets a deadline of its own for each read of a body and each write.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           fewHeaders(h),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// fewHeaders answers 431 to a request with more than maxHeaderFields header fields.
func fewHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fields := 0
		for _, values := range r.Header {
			fields += len(values)
		}
		if fields <= maxHeaderFields {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge)
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","error":{"code":-32600,"message":"signet: too many header fields"}}`)
	})
}
