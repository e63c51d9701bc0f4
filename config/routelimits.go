package config

import (
	"fmt"
	"net/url"
)

// checkLimits holds what a route takes on against its rules, and against its connections.
func (v *routeRules) checkLimits() {
	l := v.route.Limits
	if l.Calls < 1 {
		v.problem("/limits/calls", "must be 1 or more", "enabled: false is a route that takes no calls")
	}
	for _, limit := range []struct {
		key   string
		value int
		hint  string
	}{
		{"streams", l.Streams, "0 is a route without standing streams"},
		{"queue", l.Queue, "0 lets nobody wait"},
		{"burst", l.Burst, "0 is one call at once"},
		{"per_client", l.PerClient, "0 lets one client have all places"},
	} {
		if limit.value < 0 {
			v.problem("/limits/"+limit.key, "is negative", limit.hint)
		}
	}
	switch {
	case l.Rate < 0:
		v.problem("/limits/rate", "is negative", "0 is no rate")
	case l.Rate == 0 && l.Burst > 0:
		v.problem("/limits/burst", "is of no effect without limits.rate", "set a rate, or take burst away")
	}
	if l.Body < 1 {
		v.problem("/limits/body", "must be more than 0", "")
	}
}

// checkFence warns of calls that would wait for a connection, where nobody counts or bounds it. On HTTP/2 one
// connection has many calls.
func (v *routeRules) checkFence(upstream *url.URL) {
	p, l, usual := v.route.Pool, v.route.Limits, DefaultRoute().Limits
	sum := l.Calls + l.Streams
	if p.HTTP2 && upstream.Scheme == "https" || p.MaxConnections < 2 || sum <= p.MaxConnections {
		return
	}
	key := "/limits/calls"
	switch {
	case l.Calls == usual.Calls && l.Streams == usual.Streams:
		key = "/pool/max_connections"
	case l.Calls == usual.Calls:
		key = "/limits/streams"
	}
	v.warn(key, fmt.Sprintf("limits.calls + limits.streams, %d, is more than pool.max_connections, %d", sum, p.MaxConnections),
		"calls would wait for a connection, signed and unseen")
}

// checkBreaker holds a route's breaker against its rules.
func (v *routeRules) checkBreaker() {
	b := v.route.Breaker
	switch {
	case b.Failures < 0:
		v.problem("/breaker/failures", "is negative", "0 turns the breaker off")
	case b.Failures == 0:
		return
	}
	switch {
	case b.Open <= 0:
		v.problem("/breaker/open", "must be more than 0", "failures: 0 turns the breaker off")
	case b.MaxOpen < b.Open:
		v.problem("/breaker/max_open", fmt.Sprintf("is less than open, %s", b.Open), "")
	}
}

// memory warns of a budget that a single call could exceed alone.
func (l *loading) memory(cfg *Config) {
	if cfg.Memory < 1 {
		l.problem("memory", "must be more than 0", "")
		return
	}
	for _, name := range sortedNames(cfg.Routes) {
		if cfg.Routes[name].Limits.Body > cfg.Memory {
			l.warn("memory", fmt.Sprintf("is less than routes.%s.limits.body: the largest calls would never pass", name), "")
			return
		}
	}
}
