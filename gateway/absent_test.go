package gateway

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
)

// The Go SDK 1.8 ended its session when the GET after a route's removal was told 404.
func TestASessionsStreamOfAnAbsentRouteIsHeldUntilItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		cfg := settings(map[string]config.Route{"s": plain(upstream(t, n, "up.test", answering(callAnswer)))})
		b := newBench(t, n, cfg, Options{})
		began, response := time.Now(), listening(t, t.Context(), b)
		if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" || time.Since(began) != 0 {
			t.Fatalf("%d %v after %s", response.StatusCode, response.Header, time.Since(began))
		}
		go func() {
			<-time.After(20500 * time.Millisecond)
			next := *cfg
			next.Routes = map[string]config.Route{"s": cfg.Routes["s"], "r": cfg.Routes["s"]}
			_, _ = b.gateway.Reload(t.Context(), &next, nil)
		}()
		rest, err := io.ReadAll(response.Body)
		if took := time.Since(began); string(rest) != comment || err != nil || took != 21*time.Second || b.gateway.absent.Load() != 0 {
			t.Errorf("%q, %v after %s; %d are held", rest, err, took, b.gateway.absent.Load())
		}
	})
}

func TestStreamsOfAbsentRoutesAreBoundedAndLeaveWithTheirClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newNetwork(), settings(map[string]config.Route{"s": plain("http://nowhere.test/mcp")}), Options{})
		ctx, leave := context.WithCancel(t.Context())
		for range maxAbsent {
			listening(t, ctx, b)
		}
		if response := listening(t, ctx, b); response.StatusCode != http.StatusNotFound {
			t.Errorf("one too many: %d", response.StatusCode)
		}
		leave()
		synctest.Wait()
		if n := b.gateway.absent.Load(); n != 0 {
			t.Errorf("%d are still held", n)
		}
		var cut atomic.Bool
		response := listening(t, t.Context(), b)
		go func() { _, _ = io.Copy(io.Discard, response.Body); cut.Store(true) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = b.gateway.Shutdown(ctx)
		<-time.After(absentCheck)
		synctest.Wait()
		if !cut.Load() {
			t.Error("it is still open after the gateway has ended")
		}
	})
}
