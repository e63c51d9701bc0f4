package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"signet/config"
	"signet/gateway/bulkhead"
	"signet/gateway/credentials"
	"signet/gateway/envelope"
	"signet/gateway/sigv4"
)

// A snapshot is one Config made runnable. It never changes.
type snapshot struct {
	number uint64
	at     time.Time
	config *config.Config
	guard  *guard
	routes map[string]*route // the enabled ones
}

// build makes a snapshot of cfg, with every part of old whose config is equal. It opens no connection and
// starts no goroutine, so a snapshot that is not used needs no clean-up. old is nil at the start.
func (g *Gateway) build(cfg *config.Config, old *snapshot) (*snapshot, error) {
	next := &snapshot{number: 1, at: time.Now(), config: cfg, guard: newGuard(cfg), routes: map[string]*route{}}
	if old != nil {
		next.number = old.number + 1
	}
	files := newFiles()
	for _, name := range slices.Sorted(maps.Keys(cfg.Routes)) {
		if !cfg.Routes[name].Enabled {
			continue
		}
		rt, err := g.newRoute(name, cfg.Routes[name], next.number, files, old.route(name))
		if err != nil {
			return nil, fmt.Errorf("route %q: %w", name, err)
		}
		next.routes[name] = rt
	}
	return next, nil
}

// route is the named route, or nil; s may be nil.
func (s *snapshot) route(name string) *route {
	return s.all()[name]
}

// all are the routes by name; s may be nil.
func (s *snapshot) all() map[string]*route {
	if s == nil {
		return nil
	}
	return s.routes
}

// has reports whether s serves with this very route; s may be nil.
func (s *snapshot) has(rt *route) bool { return s.route(rt.name) == rt }

// find is the route a request is for: the path is exactly "/<route>" or "/<route>/".
func (s *snapshot) find(r *http.Request) (*route, *refusal) {
	name := strings.TrimSuffix(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	rt := s.routes[name]
	if rt == nil {
		return nil, refuse(http.StatusNotFound, &envelope.Error{
			Code: envelope.CodeNoRoute, Reason: "no_such_route", Outcome: notSent,
			Message: fmt.Sprintf("no route at %s: a route's path is its name alone", r.URL.EscapedPath()),
		})
	}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return nil, refuse(http.StatusBadRequest, &envelope.Error{
			Code: envelope.CodeInvalid, Reason: "query", Outcome: notSent, Route: name,
			Message: "a route takes no query; the upstream's own is in the config",
		})
	}
	return rt, nil
}

// newRoute makes a route, or returns old if nothing about it changed. old may be nil.
func (g *Gateway) newRoute(name string, c config.Route, snapshot uint64, f *files, old *route) (*route, error) {
	upstream, err := url.Parse(c.Upstream)
	if err != nil {
		return nil, fmt.Errorf("upstream: %w", err)
	}
	wires, err := readWires(c, upstream, f)
	if err != nil {
		return nil, err
	}
	if old != nil && same(old.config, c) && old.pool.wires == wires {
		return old, nil
	}
	rt := &route{
		name: name, config: c, snapshot: snapshot, upstream: upstream,
		port: port(upstream), agent: "signet/" + g.options.Version,
		scope:    sigv4.Scope{Service: c.Service, Region: c.Region, Unsigned: c.Payload == "unsigned"},
		log:      g.log.With("route", name),
		lines:    g.lines,
		recorder: g.recorder,
		places:   newPlaces(c, upstream, old),
		memory:   g.memory,
	}
	rt.flight.init()
	if old != nil && old.pool.wires == wires {
		rt.pool = old.pool
	} else if rt.pool, err = newPool(wires, f, g.options.Dial); err != nil {
		return nil, err
	}
	if c.UpstreamAuth == "sigv4" || c.UpstreamAuth == "sigv4-optional" {
		rt.identity = g.newIdentity(name, c, old)
	}
	return rt, nil
}

// newPlaces makes a route's places, or returns those of old if they are the same host's. What old had for limits
// stays in force until the swap.
func newPlaces(c config.Route, upstream *url.URL, old *route) *places {
	if old != nil && old.places.scheme == upstream.Scheme && old.places.host == upstream.Host {
		return old.places
	}
	return &places{Bulkhead: bulkhead.New(limits(c)), scheme: upstream.Scheme, host: upstream.Host}
}

// limits are what a route's places keep to.
func limits(c config.Route) bulkhead.Limits {
	l := c.Limits
	return bulkhead.Limits{
		Calls: l.Calls, Streams: l.Streams, Queue: l.Queue, QueueWait: l.QueueWait,
		Rate: l.Rate, Burst: l.Burst, PerClient: l.PerClient, Breaker: bulkhead.Breaker(c.Breaker),
	}
}

// newIdentity makes the credentials a route signs with, or returns those of old if they are the same.
func (g *Gateway) newIdentity(name string, c config.Route, old *route) *identity {
	signs := signs{profile: c.Profile, region: c.Region, assume: c.AssumeRole, instanceMetadata: c.Credentials.InstanceMetadata}
	if old != nil && old.identity != nil && same(old.identity.signs, signs) {
		return old.identity
	}
	source := credentials.ProfileOptions{
		Profile: c.Profile, Region: c.Region, SessionName: sessionName(name), Home: g.home,
		InstanceMetadata: c.Credentials.InstanceMetadata,
		Assume: credentials.Role{
			ARN: c.AssumeRole.ARN, ExternalID: c.AssumeRole.ExternalID, SessionName: c.AssumeRole.SessionName,
			Duration: c.AssumeRole.Duration, Tags: c.AssumeRole.Tags,
		},
	}
	if dial := g.options.Dial; dial != nil {
		source.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	}
	id := &identity{signs: signs, profile: credentials.NewProfile(source)}
	id.cache = credentials.New(id.profile, credentials.Options{
		Name: name, Tracer: g.recorder.Tracer(), Timeout: c.Credentials.Timeout, Wait: c.Credentials.Wait,
		Observe: func(r credentials.Refresh) { g.refreshed(name, r) },
	})
	id.close = id.cache.Close
	return id
}

// refreshed counts a fetch that ended, and logs one that failed: while what is held still serves, nobody else
// says so.
func (g *Gateway) refreshed(route string, r credentials.Refresh) {
	g.recorder.Refreshed(route, r.Reason())
	if r.Err != nil {
		g.log.Warn("credentials could not be fetched", "route", route, "cause", r.Err.Error(), "took", r.Took.String())
	}
}

// sessionName is the role session name of a route whose profile has none. It is the same after every
// refresh, reload and restart: the AWS MCP Server binds its sessions to it. At most 64 characters.
func sessionName(route string) string {
	name := "signet-" + route
	return name[:min(len(name), 64)]
}

// port is a URL's port, or its scheme's.
func port(u *url.URL) int {
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	if u.Scheme == "http" {
		return 80
	}
	return 443
}
