package gateway

import (
	"maps"
	"net/url"
	"slices"
	"time"

	"signet/gateway/credentials"
)

// A Status is what the gateway is doing, at one moment. It holds no secret. Fields are added, never
// renamed, while Schema stays 1.
type Status struct {
	// Schema is the version of this form.
	Schema int `json:"schema"`

	// Version is the program's, and Uptime how long it has run, in seconds.
	Version string  `json:"version"`
	Uptime  float64 `json:"uptime_seconds"`

	// Draining says that it is shutting down.
	Draining bool `json:"draining"`

	// Health is that of the whole: as bad as its worst route, and Degraded at least when the last config
	// was not applied.
	Health Health `json:"health"`

	// Listen are the addresses that the config names.
	Listen []string `json:"listen"`

	// Snapshot is the config that serves.
	Snapshot SnapshotStatus `json:"snapshot"`

	// LastReload is how the last attempt to apply a config ended.
	LastReload ReloadStatus `json:"last_reload"`

	// Retiring are the replaced and removed routes that still have calls under way.
	Retiring RetiringStatus `json:"retiring"`

	// Retired are these versions of routes, by name.
	Retired []RetiredStatus `json:"retired,omitempty"`

	// Memory is what the buffers of all calls hold.
	Memory MemoryStatus `json:"memory"`

	// Exports are the kinds of telemetry that are sent somewhere, and TraceURL is where a trace is seen
	// (telemetry.trace_url). Empty: nowhere.
	Exports  []ExportStatus `json:"exports,omitempty"`
	TraceURL string         `json:"trace_url,omitempty"`

	// Routes are all of the config, by name.
	Routes []RouteStatus `json:"routes"`
}

// A SnapshotStatus is the config that serves.
type SnapshotStatus struct {
	// Number counts from 1, and Age is since it was applied, in seconds.
	Number uint64  `json:"number"`
	Age    float64 `json:"age_seconds"`

	// Path and Hash are the config's file and contents.
	Path string `json:"path"`
	Hash string `json:"hash"`
}

// A ReloadStatus is how the last attempt to apply a config ended.
type ReloadStatus struct {
	// OK says that it was applied.
	OK bool `json:"ok"`

	// At is when, and LastSuccess when one was last applied.
	At          time.Time `json:"at"`
	LastSuccess time.Time `json:"last_success"`

	// Problems are why it was not applied, each as file:line:col: key: what.
	Problems []string `json:"problems,omitempty"`
}

// A RetiringStatus is what a reload replaced or removed and is still held.
type RetiringStatus struct {
	// Routes is how many versions of routes, and Calls how many calls and streams run on them to their end.
	Routes int `json:"routes"`
	Calls  int `json:"calls"`
}

// A RetiredStatus is a version of a route that serves no new call.
type RetiredStatus struct {
	// Route is the route's name, and Since the first snapshot that had this version of it.
	Route string `json:"route"`
	Since uint64 `json:"since_snapshot"`

	// Calls is how many calls and streams run on it, and EndsIn when they are ended, in seconds.
	Calls  int     `json:"calls"`
	EndsIn float64 `json:"ends_in_seconds"`
}

// A RouteStatus is one route.
type RouteStatus struct {
	// Name is the route's, and Upstream its URL.
	Name     string `json:"name"`
	Upstream string `json:"upstream"`

	// Health is how the route is. A disabled one has no more to tell than its config.
	Health Health `json:"health"`

	// Auth, Profile, Service and Region are what requests are signed with. Region is empty until
	// credentials are fetched when only the profile has it.
	Auth    string `json:"upstream_auth"`
	Profile string `json:"profile,omitempty"`
	Service string `json:"service,omitempty"`
	Region  string `json:"region,omitempty"`

	// Since is the first snapshot that had the route as it is.
	Since uint64 `json:"since_snapshot"`

	// InFlight is how many calls and streams are under way.
	InFlight int `json:"in_flight"`

	// Limits is what is in use of the route's limits, which are MaxCalls, MaxStreams and MaxQueue.
	Limits     LimitsStatus `json:"limits"`
	MaxCalls   int          `json:"max_calls"`
	MaxStreams int          `json:"max_streams"`
	MaxQueue   int          `json:"max_queue"`

	// Connections is how many are open to the upstream, of MaxConnections (pool.max_connections).
	Connections    int `json:"connections"`
	MaxConnections int `json:"max_connections"`

	// History is how the last calls went.
	History HistoryStatus `json:"history"`

	// ClockSkew is how far AWS's clock is ahead of this machine's, in seconds, as learned from a refusal. Zero:
	// there was none.
	ClockSkew float64 `json:"clock_skew_seconds,omitempty"`

	// Profiles are the others of a route with several.
	Profiles []ProfileStatus `json:"profiles,omitempty"`

	// Drifts are the tools that are not as they were accepted, each as "tool: what". Empty: none was listed.
	Drifts []string `json:"drifts,omitempty"`

	// Credentials are those held. Nil on a route that does not sign.
	Credentials *credentials.State `json:"credentials,omitempty"`
}

// A ProfileStatus is one of a route's profiles.
type ProfileStatus struct {
	// Profile is its name, and Credentials are those held.
	Profile     string            `json:"profile"`
	Credentials credentials.State `json:"credentials"`
}

// Status is what the gateway is doing now.
func (g *Gateway) Status() Status {
	s, last, now := g.current.Load(), g.last.Load(), time.Now()
	status := Status{
		Schema: 1, Version: g.options.Version, Uptime: now.Sub(g.started).Seconds(), Draining: g.draining.Load(),
		Snapshot: SnapshotStatus{
			Number: s.number, Age: now.Sub(s.at).Seconds(), Path: s.config.Path, Hash: s.config.Hash,
		},
		LastReload: ReloadStatus{OK: last.err == nil, At: last.at, LastSuccess: last.goodAt},
		Retiring:   g.retired.status(),
		Retired:    g.retired.versions(),
		Memory: MemoryStatus{
			Used: g.memory.Used(), Limit: int64(s.config.Memory), Sheds: g.memory.Sheds(),
		},
		Exports: g.exports(), TraceURL: s.config.Telemetry.TraceURL,
		Listen: s.config.Listen,
		Routes: []RouteStatus{},
	}
	if last.err != nil {
		status.LastReload.Problems = texts(last.err)
	}
	for _, name := range slices.Sorted(maps.Keys(s.config.Routes)) {
		status.Routes = append(status.Routes, g.route(s, name, now))
	}
	status.Health = status.judge()
	return status
}

// route is how the named route of s is.
func (g *Gateway) route(s *snapshot, name string, now time.Time) RouteStatus {
	c := condition{now: now, admin: Enabled, path: s.config.Path, config: s.config.Routes[name]}
	rt := s.routes[name]
	switch {
	case rt == nil:
		c.admin = Disabled
		status := RouteStatus{Name: name, Auth: c.config.UpstreamAuth, Health: c.health()}
		if u, err := url.Parse(c.config.Upstream); err == nil {
			status.Upstream = u.Redacted()
		}
		return status
	case g.draining.Load():
		c.admin = Draining
	}
	status := rt.status()
	c.upstream, c.limits, c.history, c.credentials = status.Upstream, status.Limits, status.History, status.Credentials
	if rt.identity != nil {
		c.ahead = rt.identity.clock.skew()
	}
	status.Health = c.health()
	return status
}

func (rt *route) status() RouteStatus {
	s := RouteStatus{
		Name: rt.name, Upstream: rt.upstream.Redacted(), Auth: rt.config.UpstreamAuth,
		Since: rt.snapshot, InFlight: rt.flight.count(), Limits: rt.places.status(),
		MaxCalls: rt.config.Limits.Calls, MaxStreams: rt.config.Limits.Streams, MaxQueue: rt.config.Limits.Queue,
		Connections: rt.pool.connections.count(), MaxConnections: rt.config.Pool.MaxConnections,
		History: rt.history.status(),
		Drifts:  rt.drifts.status(),
	}
	if rt.identity == nil {
		return s
	}
	state := rt.identity.cache.State()
	s.Profile, s.Service, s.Region, s.Credentials = rt.config.Profile, rt.scope.Service, rt.scope.Region, &state
	for _, id := range rt.others {
		s.Profiles = append(s.Profiles, ProfileStatus{Profile: id.signs.profile, Credentials: id.cache.State()})
	}
	s.ClockSkew = rt.identity.clock.skew().Seconds()
	return s
}
