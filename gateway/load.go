package gateway

import (
	"time"

	"signet/gateway/telemetry"
)

// A LimitsStatus is what is in use of a route's limits. Versions of the route that are retiring share it.
type LimitsStatus struct {
	// Calls and Streams are the two budgets.
	Calls   UseStatus `json:"calls"`
	Streams UseStatus `json:"streams"`

	// Sheds is how many calls and streams were turned away, by reason. Nil: none.
	Sheds map[string]uint64 `json:"sheds,omitempty"`

	// Circuit is closed, open, half_open or off. OpenFor is how long an open one still lets no call through,
	// in seconds.
	Circuit string  `json:"circuit"`
	OpenFor float64 `json:"open_for_seconds,omitempty"`
}

// A UseStatus is what is in use of one budget.
type UseStatus struct {
	// Running is how many are under way, Waiting how many wait, and Clients of how many clients these are.
	Running int `json:"running"`
	Waiting int `json:"waiting"`
	Clients int `json:"clients"`
}

// A MemoryStatus is what the buffers of all calls hold, in bytes.
type MemoryStatus struct {
	// Used is what they hold of Limit, and Sheds how many times there was not enough.
	Used  int64  `json:"used"`
	Limit int64  `json:"limit"`
	Sheds uint64 `json:"sheds"`
}

func (p *places) status() LimitsStatus {
	s := p.State()
	return LimitsStatus{
		Calls: UseStatus(s.Calls), Streams: UseStatus(s.Streams),
		Sheds: s.Sheds, Circuit: s.Circuit, OpenFor: s.OpenFor.Seconds(),
	}
}

// loads is what the metrics are told.
func (g *Gateway) loads() telemetry.Loads {
	l := telemetry.Loads{Memory: g.memory.Used(), MemorySheds: g.memory.Sheds()}
	s := g.current.Load()
	if s == nil {
		return l
	}
	l.MemoryLimit = int64(s.config.Memory)
	for _, rt := range s.routes {
		l.Routes = append(l.Routes, rt.load())
	}
	for _, e := range g.exports() {
		l.Exports = append(l.Exports, telemetry.Export{
			Signal: e.Signal, Exported: e.Exported, QueueFull: e.QueueFull, Failed: e.Failed, Queued: e.Queued,
		})
	}
	return l
}

func (rt *route) load() telemetry.Load {
	s := rt.places.State()
	l := telemetry.Load{
		Route: rt.name, Calls: s.Calls.Running, Streams: s.Streams.Running,
		WaitingCalls: s.Calls.Waiting, WaitingStreams: s.Streams.Waiting,
		Sheds: s.Sheds, Circuit: circuitNumber(s.Circuit),
	}
	l.Active, l.Idle = rt.pool.connections.use()
	if rt.identity == nil {
		return l
	}
	if held := rt.identity.cache.State(); held.KeyID != "" {
		l.Held, l.Age, l.Expires = true, time.Duration(held.Age*float64(time.Second)), held.Expires
	}
	return l
}

// circuitNumber is a circuit's state as the metrics have it.
func circuitNumber(state string) int {
	switch state {
	case "open":
		return 2
	case "half_open":
		return 1
	}
	return 0
}
