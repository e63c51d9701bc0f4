package gateway

import (
	"maps"
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

	// Snapshot is the config that serves.
	Snapshot SnapshotStatus `json:"snapshot"`

	// LastReload is how the last attempt to apply a config ended.
	LastReload ReloadStatus `json:"last_reload"`

	// Retiring are the replaced and removed routes that still have calls under way.
	Retiring RetiringStatus `json:"retiring"`

	// Memory is what the buffers of all calls hold.
	Memory MemoryStatus `json:"memory"`

	// Exports are the kinds of telemetry that are sent somewhere, and TraceURL is where a trace is seen
	// (telemetry.trace_url). Empty: nowhere.
	Exports  []ExportStatus `json:"exports,omitempty"`
	TraceURL string         `json:"trace_url,omitempty"`

	// Routes are the enabled ones, by name.
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

// A RouteStatus is one route.
type RouteStatus struct {
	// Name is the route's, and Upstream its URL.
	Name     string `json:"name"`
	Upstream string `json:"upstream"`

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

	// Limits is what is in use of the route's limits.
	Limits LimitsStatus `json:"limits"`

	// ClockSkew is how far AWS's clock is ahead of this machine's, in seconds, as learned from a refusal. Zero:
	// there was none.
	ClockSkew float64 `json:"clock_skew_seconds,omitempty"`

	// Credentials are those held. Nil on a route that does not sign.
	Credentials *credentials.State `json:"credentials,omitempty"`
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
		Memory: MemoryStatus{
			Used: g.memory.Used(), Limit: int64(s.config.Memory), Sheds: g.memory.Sheds(),
		},
		Exports: g.exports(), TraceURL: s.config.Telemetry.TraceURL,
		Routes: []RouteStatus{},
	}
	if last.err != nil {
		status.LastReload.Problems = texts(last.err)
	}
	for _, name := range slices.Sorted(maps.Keys(s.routes)) {
		status.Routes = append(status.Routes, s.routes[name].status())
	}
	return status
}

func (rt *route) status() RouteStatus {
	s := RouteStatus{
		Name: rt.name, Upstream: rt.upstream.Redacted(), Auth: rt.config.UpstreamAuth,
		Since: rt.snapshot, InFlight: rt.flight.count(), Limits: rt.places.status(),
	}
	if rt.identity == nil {
		return s
	}
	state := rt.identity.cache.State()
	s.Profile, s.Service, s.Region, s.Credentials = rt.config.Profile, rt.scope.Service, rt.scope.Region, &state
	s.ClockSkew = rt.identity.clock.skew().Seconds()
	return s
}
