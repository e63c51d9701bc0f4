package gateway

import (
	"net/http"
	"strings"
	"time"

	"signet/config"
)

const (
	// maxAbsent is how many streams of routes that are not there are held.
	maxAbsent = 64

	// absentCheck is how often it is looked whether the route is there.
	absentCheck = time.Second
)

// holdAbsent answers a session's GET for a route that is not there with a stream that says nothing, and ends it when
// the route is, so that the client asks it. It reports whether it did. A route that is taken away for a moment
// would else be the end of the Go SDK's sessions: a 404 on this stream, whatever its calls are told.
func (g *Gateway) holdAbsent(w http.ResponseWriter, r *http.Request) bool {
	name := routeName(r)
	if r.Method != http.MethodGet || r.Header.Get("Mcp-Session-Id") == "" || !config.IsName(name) ||
		!strings.Contains(strings.Join(r.Header["Accept"], ","), "text/event-stream") {
		return false
	}
	defer g.absent.Add(-1)
	if g.absent.Add(1) > maxAbsent || g.draining.Load() {
		return false
	}
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Accel-Buffering", "no")
	_ = control.Flush()
	check := time.NewTicker(absentCheck)
	defer check.Stop()
	for last := time.Now(); ; {
		select {
		case <-r.Context().Done():
			return true
		case <-check.C:
		}
		if g.draining.Load() || g.current.Load().route(name) != nil {
			return true
		}
		if time.Since(last) < lastWait {
			continue
		}
		last = time.Now()
		_ = control.SetWriteDeadline(last.Add(writeDeadline))
		if _, err := w.Write([]byte(comment)); err != nil || control.Flush() != nil {
			return true
		}
	}
}
