package gateway

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"signet/gateway/envelope"
)

const (
	// maxSessions is how many clients' sessions a route remembers, and maxOpening how long a client's initialize
	// may be. A client whose session is forgotten is told to begin another.
	maxSessions = 1024
	maxOpening  = 64 << 10

	// openWithin bounds beginning a session as another profile.
	openWithin = 30 * time.Second
)

// sessions are those that clients have with the upstream of a route of several profiles. Each is one as the default
// profile, and as every other that was called as, begun with the client's own initialize. An upstream binds its
// sessions to who began them.
type sessions struct {
	mu   sync.Mutex
	all  map[string]*session // by the client's id; under mu
	uses uint64              // under mu
}

// A session is a client's.
type session struct {
	// fixed when it begins
	caller  string // whose it is
	opening []byte // the initialize that it began with
	header  http.Header

	// guarded by sessions.mu
	used   uint64
	others map[string]*other // by profile
	flying map[string]string // the profiles of calls under way, by id
}

// An other is a client's session as another profile than the default.
type other struct {
	done  chan struct{}
	id    string          // empty: the upstream has no sessions; once done
	fault *envelope.Error // why there is none; once done
}

// begin notes the session that the upstream began for c, an initialize as the default profile.
func (s *sessions) begin(c *call, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(c.body) > maxOpening {
		return
	}
	if s.all == nil {
		s.all = map[string]*session{}
	}
	if len(s.all) >= maxSessions {
		s.forgetOne()
	}
	header := c.r.Header.Clone()
	for _, name := range []string{"Authorization", "Cookie", "Mcp-Session-Id"} { // nothing that the opening needs
		delete(header, name)
	}
	s.uses++
	s.all[id] = &session{
		caller: c.caller, opening: c.body, header: header, used: s.uses,
		others: map[string]*other{}, flying: map[string]string{},
	}
}

// forgetOne lets go of the session that was used least lately.
func (s *sessions) forgetOne() {
	var oldest string
	for id, one := range s.all {
		if oldest == "" || one.used < s.all[oldest].used {
			oldest = id
		}
	}
	delete(s.all, oldest)
}

// of is the session that c is in, or nil if it is not known, or another caller's. s.mu is held.
func (s *sessions) of(c *call) *session {
	one := s.all[c.r.Header.Get("Mcp-Session-Id")]
	if one == nil || one.caller != c.caller {
		return nil
	}
	s.uses++
	one.used = s.uses
	return one
}

// enter is the id of the session of c as its profile, which is begun if there is none yet: once, whoever waits for it.
func (s *sessions) enter(c *call) (string, *envelope.Error) {
	s.mu.Lock()
	one := s.of(c)
	if one == nil {
		s.mu.Unlock()
		return "", c.badSession()
	}
	o := one.others[c.profile]
	if o == nil {
		o = &other{done: make(chan struct{})}
		one.others[c.profile] = o
		c.route.flight.join()
		go func() {
			defer c.route.flight.leave()
			s.open(c, one, o)
		}()
	}
	s.mu.Unlock()
	select {
	case <-o.done:
		return o.id, o.fault
	case <-c.ctx.Done():
		e := c.interrupted(context.Cause(c.ctx))
		e.Outcome = notSent
		return "", e
	}
}

// open begins a session as another profile, as the client began its own.
func (s *sessions) open(c *call, one *session, o *other) {
	defer close(o.done)
	ctx, cancel := context.WithTimeout(context.Background(), openWithin)
	defer cancel()
	began := c.aside(ctx, "initialize", one.opening, func(own *call) {
		own.r.Header = one.header.Clone()
		own.identity, own.profile, own.session = c.identity, c.profile, nil
	})
	if o.fault = began.unopened(ctx); o.fault != nil {
		s.drop(one, c.profile, o)
		return
	}
	o.id = began.assigned
	c.aside(ctx, "notifications/initialized", []byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`), func(own *call) {
		own.identity, own.profile, own.session = c.identity, c.profile, &o.id
	})
}

// unopened is why c, an initialize, began no session, or nil if it did.
func (c *call) unopened(ctx context.Context) *envelope.Error {
	var why string
	switch {
	case ctx.Err() != nil:
		why = fmt.Sprintf("it took longer than %s", openWithin)
	case c.said != nil:
		e := *c.said
		e.Outcome = notSent // of the call that wanted it
		return &e
	case c.ending.Code != 0:
		why = fmt.Sprintf("it answered with the error %d", c.ending.Code)
	case c.ending.Status/100 != 2:
		why = fmt.Sprintf("it answered %d", c.ending.Status)
	default:
		return nil
	}
	return c.fault(envelope.CodeBadResponse, "session", notSent, fmt.Sprintf("the upstream began no session as profile %q: %s", c.profile, why))
}

// drop forgets an other, so that the next call begins another. One that has taken its place stays.
func (s *sessions) drop(one *session, profile string, o *other) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one.others[profile] == o {
		delete(one.others, profile)
	}
}

// fly notes that the request of c is under way as its profile, and returns what notes its end.
func (s *sessions) fly(c *call) (landed func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.of(c)
	if one == nil {
		return func() bool { return false }
	}
	for _, id := range c.pending {
		one.flying[idKey(envelope.ValueOf(id))] = c.profile
	}
	pending := c.pending
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, id := range pending {
			delete(one.flying, idKey(envelope.ValueOf(id)))
		}
		return true
	}
}

// flyingAs is the profile of the request with an id that is under way in the session of c, "" for the default.
func (s *sessions) flyingAs(c *call, id envelope.Value) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.of(c); one != nil {
		return one.flying[idKey(id)]
	}
	return ""
}

// idKey is the same for ids that mean the same.
func idKey(id envelope.Value) string {
	if id.IsString() {
		return `"` + id.Text()
	}
	return string(id.Raw())
}
