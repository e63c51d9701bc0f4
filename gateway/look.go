package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"signet/gateway/envelope"
)

const (
	// lookWithin bounds a look at the tools of an upstream, all pages together.
	lookWithin = 30 * time.Second

	// lookAgain is how long nobody looks again after a look, nor after one that failed, if the upstream does not
	// want longer.
	lookAgain = time.Second

	// maxPages is how many pages a look turns.
	maxPages = 100

	// maxLooks is how many looks a route remembers.
	maxLooks = 1024
)

// A look asks the upstream for its tools. All calls of one session that need it at a time share it.
type look struct {
	done  chan struct{}
	until time.Time       // when the next may begin; once done
	fault *envelope.Error // why they are not known; once done
}

// looks are those of a route, under way or just done.
type looks struct {
	mu  sync.Mutex
	all map[string]*look // by who looks; under mu
}

// look waits until the upstream was asked for its tools, in the session of c, and is why they are not known, or nil.
func (c *call) look() *envelope.Error {
	l := c.route.looks.join(c)
	select {
	case <-l.done:
		return l.fault
	case <-c.ctx.Done():
		e := c.interrupted(context.Cause(c.ctx))
		e.Outcome = notSent
		return e
	}
}

// join is the look that is under way for c, or a new one.
func (s *looks) join(c *call) *look {
	key := strings.Join([]string{c.client, c.r.Header.Get("Mcp-Session-Id"), c.version()}, "\x00")
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.all[key]; l != nil && !l.over(time.Now()) {
		return l
	}
	if len(s.all) >= maxLooks {
		s.forget(time.Now())
	}
	l := &look{done: make(chan struct{})}
	if s.all == nil {
		s.all = map[string]*look{}
	}
	s.all[key] = l
	c.route.flight.join()
	go func() {
		defer c.route.flight.leave()
		l.run(c)
	}()
	return l
}

// forget lets go of the looks that are over.
func (s *looks) forget(now time.Time) {
	for key, l := range s.all {
		if l.over(now) {
			delete(s.all, key)
		}
	}
}

// over reports whether the next look may begin.
func (l *look) over(now time.Time) bool {
	select {
	case <-l.done:
		return !now.Before(l.until)
	default:
		return false
	}
}

// run asks for all pages. What they say is noted as they pass, as of every list.
func (l *look) run(c *call) {
	defer close(l.done)
	ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
	defer cancel()
	began, fault := c.pages(ctx, nil)
	l.until = time.Now().Add(lookAgain)
	if fault == nil {
		c.route.hints.Complete(began)
		return
	}
	l.fault = fault
	l.until = time.Now().Add(max(lookAgain, fault.RetryAfter))
}

// pages asks for all pages of the list of tools, and is when it began and why it has not all of it, or nil.
func (c *call) pages(ctx context.Context, change func(own *call)) (began time.Time, _ *envelope.Error) {
	began = time.Now()
	var cursor []byte
	for range maxPages {
		page := c.aside(ctx, "tools/list", askForTools(cursor, c.protocol()), change)
		switch {
		case !page.listed:
			return began, page.unlisted(ctx)
		case page.cursor == nil:
			return began, nil
		case bytes.Equal(page.cursor, cursor):
			return began, c.fault(envelope.CodeBadResponse, "pages", notSent, "its list of tools comes back to a page")
		}
		cursor = page.cursor
	}
	return began, c.fault(envelope.CodeBadResponse, "pages", notSent, "its list of tools does not end")
}

// unlisted is why an answer to tools/list has no list.
func (c *call) unlisted(ctx context.Context) *envelope.Error {
	switch {
	case ctx.Err() != nil:
		return c.fault(envelope.CodeTimeout, "total", unknown, fmt.Sprintf("it took longer than %s", lookWithin))
	case c.said != nil:
		return c.said
	case c.ending.Code != 0:
		return c.fault(envelope.CodeBadResponse, "status", unknown, fmt.Sprintf("it answered with the error %d", c.ending.Code))
	}
	return c.fault(envelope.CodeBadResponse, "status", unknown, fmt.Sprintf("it answered %d, without a list", c.ending.Status))
}

// protocol is what every message of the client says of its protocol: the members of params._meta that MCP has for it.
func (c *call) protocol() (meta []byte) {
	body := envelope.ValueOf(c.body)
	if c.message.Kind == envelope.Batch {
		return nil
	}
	for key, value := range body.Get("params").Get("_meta").Members() {
		name := key.Text()
		if !strings.HasPrefix(name, "io.modelcontextprotocol/") || name == "io.modelcontextprotocol/logLevel" {
			continue
		}
		if meta != nil {
			meta = append(meta, ',')
		}
		meta = envelope.AppendMember(meta, name, value.Raw())
	}
	return meta
}

// askForTools asks for a page of tools.
func askForTools(cursor, meta []byte) []byte {
	params := []byte(`{"_meta":{`)
	params = append(append(params, meta...), '}')
	if cursor != nil {
		params = append(append(params, `,"cursor":`...), cursor...)
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":"signet-%s","method":"tools/list","params":%s}}`, rand.Text(), params)
}
