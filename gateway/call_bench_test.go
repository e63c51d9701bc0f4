package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"signet/config"
)

// BenchmarkCall is one call through a gateway to an upstream on loopback, without the client's own socket:
// guard, reading, round trip and answer. Compare "unsigned" with "plain", the same round trip alone.
func BenchmarkCall(b *testing.B) {
	upstream := httptest.NewServer(answering(callAnswer))
	defer upstream.Close()
	b.Run("plain", func(b *testing.B) {
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		b.ReportAllocs()
		for b.Loop() {
			r, err := http.NewRequest(http.MethodPost, upstream.URL, strings.NewReader(callBody))
			if err != nil {
				b.Fatal(err)
			}
			response, err := transport.RoundTrip(r)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	})
	b.Run("unsigned", func(b *testing.B) { benchmarkCall(b, plain(upstream.URL)) })
	signed := config.DefaultRoute()
	signed.Upstream, signed.Service, signed.Region = upstream.URL, "svc", "eu-west-1"
	b.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	b.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	b.Run("signed", func(b *testing.B) { benchmarkCall(b, signed) })
}

func benchmarkCall(b *testing.B, r config.Route) {
	g, err := New(settings(map[string]config.Route{"r": r}), Options{Dial: loopback})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = g.Shutdown(b.Context()) }()
	b.ReportAllocs()
	for b.Loop() {
		request := httptest.NewRequest(http.MethodPost, "/r", strings.NewReader(callBody))
		request.Host = "127.0.0.1:8484"
		request.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		g.ServeHTTP(w, request)
		if w.Code != http.StatusOK || w.Body.String() != callAnswer {
			b.Fatal(w.Code, w.Body)
		}
	}
}
