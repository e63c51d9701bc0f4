package telemetry

import (
	"context"
	"hash/maphash"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const (
	// maxSessions is how many sessions are timed at once.
	maxSessions = 4096

	// forgotten is how long a session is silent before it is taken to have ended with its last message: few
	// clients say that they leave.
	forgotten = time.Hour
)

// sessions time the sessions of the revisions that have them. Ids are not kept.
type sessions struct {
	// fixed at build
	seed maphash.Seed

	// guarded
	mu   sync.Mutex
	open map[sessionKey]*session // under mu
}

type sessionKey struct {
	route string
	id    uint64
}

// A session is one that goes on.
type session struct {
	began, last time.Time
	series      sessionSeries
}

type sessionSeries struct {
	route, version, host string
	port                 int
}

// Session notes that a session has begun with the answer, which says its id.
func (a *Attempt) Session(id string) {
	c := a.call
	if id == "" || c.message.Version >= sessionless {
		return
	}
	now := time.Now()
	ended := c.recorder.sessions.begin(id, &session{began: c.began, last: now, series: sessionSeries{
		route: c.message.Route, version: metricVersion(c.message.Version), host: a.host, port: a.port,
	}}, now)
	for _, one := range ended {
		c.recorder.sessionEnded(one, "")
	}
}

// meet notes a message of a session, the last one if it ends with it: by DELETE, or since the upstream does not know
// it any more.
func (c *Call) meet(e Ending) {
	id := c.message.session()
	if id == "" {
		return
	}
	gone := e.Status == http.StatusNotFound
	ended := c.recorder.sessions.meet(c.message.Route, id, gone || c.message.Method == http.MethodDelete && e.Status/100 == 2)
	if ended == nil {
		return
	}
	kind := ""
	if gone {
		kind = "404"
	}
	c.recorder.sessionEnded(ended, kind)
}

// begin opens a session. It returns those that have ended meanwhile.
func (s *sessions) begin(id string, next *session, now time.Time) (ended []*session) {
	key := s.key(next.series.route, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[sessionKey]*session{}
	}
	if len(s.open) >= maxSessions {
		ended = s.sweep(now)
	}
	if len(s.open) < maxSessions {
		s.open[key] = next
	}
	return ended
}

// meet is the session that ends with this message. Nil: none does.
func (s *sessions) meet(route, id string, last bool) *session {
	key := s.key(route, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.open[key]
	if one == nil {
		return nil
	}
	one.last = time.Now()
	if !last {
		return nil
	}
	delete(s.open, key)
	return one
}

func (s *sessions) key(route, id string) sessionKey {
	return sessionKey{route, maphash.String(s.seed, id)}
}

// sweep takes out the sessions that have been silent for long. s.mu is held.
func (s *sessions) sweep(now time.Time) (ended []*session) {
	for key, one := range s.open {
		if now.Sub(one.last) >= forgotten {
			delete(s.open, key)
			ended = append(ended, one)
		}
	}
	return ended
}

// endSilent counts the sessions that have been silent for long. It is done whenever numbers are read.
func (r *Recorder) endSilent() {
	r.sessions.mu.Lock()
	ended := r.sessions.sweep(time.Now())
	r.sessions.mu.Unlock()
	for _, s := range ended {
		r.sessionEnded(s, "")
	}
}

// sessionEnded counts a session, on both sides: the gateway has none of its own.
func (r *Recorder) sessionEnded(s *session, errorType string) {
	ctx, seconds := context.Background(), s.last.Sub(s.began).Seconds()
	attrs := []attribute.KeyValue{
		attribute.String(keyRoute, s.series.route), attribute.String(keyProtocolVersion, s.series.version),
		attribute.String(keyTransport, "tcp"), attribute.String(keyProtocol, "http"),
	}
	if errorType != "" {
		attrs = append(attrs, attribute.String(keyErrorType, errorType))
	}
	r.serverSession.Record(ctx, seconds, metric.WithAttributes(attrs...))
	attrs = append(attrs, attribute.String(keyServer, s.series.host), attribute.Int(keyServerPort, s.series.port))
	r.clientSession.Record(ctx, seconds, metric.WithAttributes(attrs...))
}
