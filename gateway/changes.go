package gateway

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"signet/config"
)

// The parts of a route that a reload makes anew or keeps.
const (
	partConnections = "connections" // what pool, tls, dial, proxy, and the upstream's scheme and host make; files included
	partCredentials = "credentials" // what a route signs with
	partForwarding  = "forwarding"  // the rest: upstream, service, headers, timeouts, retry, keepalive, errors
	partLimits      = "limits"      // how many calls at once, and when the circuit opens
	partTools       = "tools"       // which tools may be listed and called, and how a call names its profile
)

// Changes are what a reload did, or would do, by route name, each list sorted.
type Changes struct {
	// Snapshot is the number of the snapshot that serves after it.
	Snapshot uint64 `json:"snapshot"`

	// Added, Changed, Removed and Kept name the routes. Kept ones are the same machinery as before.
	Added   []string `json:"added"`
	Changed []string `json:"changed"`
	Removed []string `json:"removed"`
	Kept    []string `json:"kept"`

	// Parts are what of each changed route is other than before: connections, credentials, forwarding, limits
	// and tools, never none of them. Connections and credentials that are not named are the same as before.
	Parts map[string][]string `json:"parts,omitempty"`

	// Gateway are the keys outside the routes that are other than before, sorted: auth, drain, listen, ...
	Gateway []string `json:"gateway,omitempty"`
}

// String is the changes as one line: "snapshot 7: 1 added, 2 changed, 0 removed, 11 kept", and if any keys
// outside the routes changed, "; gateway: drain, log".
func (c Changes) String() string {
	line := fmt.Sprintf("snapshot %d: %d added, %d changed, %d removed, %d kept",
		c.Snapshot, len(c.Added), len(c.Changed), len(c.Removed), len(c.Kept))
	if len(c.Gateway) > 0 {
		line += "; gateway: " + strings.Join(c.Gateway, ", ")
	}
	return line
}

// compare says how next differs from old, which is nil at the start.
func compare(old, next *snapshot) Changes {
	c := Changes{Snapshot: next.number, Added: []string{}, Changed: []string{}, Removed: []string{}, Kept: []string{}}
	for _, name := range slices.Sorted(maps.Keys(next.routes)) {
		switch was, is := old.route(name), next.routes[name]; was {
		case nil:
			c.Added = append(c.Added, name)
		case is:
			c.Kept = append(c.Kept, name)
		default:
			c.Changed = append(c.Changed, name)
			if c.Parts == nil {
				c.Parts = map[string][]string{}
			}
			c.Parts[name] = was.differs(is)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old.all())) {
		if next.routes[name] == nil {
			c.Removed = append(c.Removed, name)
		}
	}
	if old != nil {
		c.Gateway = changedKeys(old.config, next.config)
	}
	return c
}

// differs are the parts in which next, a later version of the same route, is another than rt.
func (rt *route) differs(next *route) []string {
	var parts []string
	if rt.pool != next.pool {
		parts = append(parts, partConnections)
	}
	if !slices.Equal(rt.identities(), next.identities()) {
		parts = append(parts, partCredentials)
	}
	if !same(forwarding(rt.config), forwarding(next.config)) {
		parts = append(parts, partForwarding)
	}
	if !same(rt.config.Limits, next.config.Limits) || rt.config.Breaker != next.config.Breaker {
		parts = append(parts, partLimits)
	}
	if !same(rt.config.Tools, next.config.Tools) || !same(rt.config.ProfileParam, next.config.ProfileParam) ||
		!same(rt.config.Pins, next.config.Pins) {
		parts = append(parts, partTools)
	}
	if parts == nil { // a key that has no effect on this route, as a profile where nothing is signed
		parts = append(parts, partForwarding)
	}
	return parts
}

// forwarding is c without the keys that the other parts answer for.
func forwarding(c config.Route) config.Route {
	c.Pool, c.TLS, c.Timeouts.Connect, c.Timeouts.TLS = config.Pool{}, config.TLS{}, 0, 0
	c.Profiles, c.ProfileParam = nil, config.ProfileParam{}
	c.Profile, c.AssumeRole, c.Credentials.InstanceMetadata = "", config.AssumeRole{}, false
	c.Limits, c.Breaker = config.Limits{}, config.Breaker{}
	c.Dial, c.Proxy, c.Tools, c.Pins = "", "", config.Tools{}, nil
	return c
}

// changedKeys are the keys of the file, routes and what is merged into them aside, whose values differ.
func changedKeys(old, next *config.Config) []string {
	var keys []string
	was, is := reflect.ValueOf(*old), reflect.ValueOf(*next)
	for i := range was.NumField() {
		key := was.Type().Field(i).Tag.Get("koanf")
		if key == "" || key == "-" || key == "routes" {
			continue
		}
		if !sameValue(was.Field(i), is.Field(i)) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// same reports whether two blocks of a config mean the same: a list or map without entries is one that is
// not there.
func same[T any](a, b T) bool { return sameValue(reflect.ValueOf(a), reflect.ValueOf(b)) }

func sameValue(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if !a.Type().Field(i).IsExported() { // a secret's, as a whole
				return reflect.DeepEqual(a.Interface(), b.Interface())
			}
			if !sameValue(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice, reflect.Map:
		if a.Len() == 0 && b.Len() == 0 {
			return true
		}
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
