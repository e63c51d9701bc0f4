package gateway

import (
	"fmt"
	"time"

	"signet/config"
	"signet/gateway/credentials"
)

// The levels of health, from good to bad.
const (
	Healthy   = "healthy"   // nothing is known that would make a call fail
	Degraded  = "degraded"  // some calls fail, or all will soon
	Unhealthy = "unhealthy" // calls fail, and the next one very likely does too
)

// Whether something is meant to serve.
const (
	Enabled  = "enabled"
	Disabled = "disabled" // by the config
	Draining = "draining" // the gateway is shutting down
)

const (
	// current is how long a failure of a call tells about a route that has none since.
	current = 5 * time.Minute

	// pressing is the same for a call that came too often, or found no room.
	pressing = time.Minute
)

// Health is how a route is, or the whole gateway. It is computed in one place and shown everywhere.
type Health struct {
	// Level is Healthy, Degraded or Unhealthy, and Admin is Enabled, Disabled or Draining.
	Level string `json:"level"`
	Admin string `json:"admin"`

	// Summary says why, in one sentence.
	Summary string `json:"summary"`

	// Action is what a person can do about it. Nil: nothing is known.
	Action *Action `json:"action,omitempty"`
}

// An Action is what a person can do.
type Action struct {
	// Text says it, and Command is what to type. It may be empty.
	Text    string `json:"text"`
	Command string `json:"command,omitempty"`
}

// A condition is all that is known of a route when its health is asked for.
type condition struct {
	now         time.Time
	admin       string
	path        string       // of the config
	upstream    string       // for people
	config      config.Route // the route's
	ahead       time.Duration
	credentials *credentials.State // nil: nothing is signed
	limits      LimitsStatus
	history     HistoryStatus
}

// health is the worst of what is known. Of facts that are equally bad the one nearest to the cause is told.
func (c condition) health() Health {
	if c.admin == Disabled {
		return Health{Level: Healthy, Admin: Disabled, Summary: "disabled in the config"}
	}
	worst := Health{Level: Healthy, Summary: c.calm()}
	for _, found := range []Health{
		c.byCredentials(), c.byRefusals(), c.byCircuit(), c.byFailures(), c.byDesertions(), c.byThrottling(), c.bySheds(),
	} {
		if badness(found.Level) > badness(worst.Level) {
			worst = found
		}
	}
	worst.Admin = c.admin
	return worst
}

// badness orders the levels. None at all is as good as Healthy.
func badness(level string) int {
	switch level {
	case Unhealthy:
		return 2
	case Degraded:
		return 1
	}
	return 0
}

// byCredentials tells of a fetch that failed. While what is held is valid, calls do not notice.
func (c condition) byCredentials() Health {
	s := c.credentials
	if s == nil || s.Problem == nil || !c.standing(s) {
		return Health{}
	}
	p := s.Problem
	h := Health{Level: Unhealthy, Summary: p.Message}
	if p.Action != "" {
		h.Action = &Action{Text: "no restart needed", Command: p.Action}
	}
	switch left := s.Expires.Sub(c.now.Add(c.ahead)); {
	case s.KeyID == "" && p.Absent && c.config.UpstreamAuth == "sigv4-optional":
		return Health{} // nobody to sign as is no failure there
	case s.KeyID != "" && s.Expires.IsZero():
		h.Level, h.Summary = Degraded, "those held serve on, but new credentials cannot be had: "+p.Message
	case s.KeyID != "" && left > 0:
		h.Level, h.Summary = Degraded, fmt.Sprintf("those held end in %s, and new credentials cannot be had: %s", roughly(left), p.Message)
	}
	return h
}

// standing reports whether the failure of a fetch is no old story: nobody fetches for a route that has no calls.
func (c condition) standing(s *credentials.State) bool {
	return s.Problem.Lasts() || s.LastRefresh != nil && c.now.Sub(s.LastRefresh.At) <= current
}

// byRefusals tells that AWS did not take what the last call was signed with, or that there was nothing, unless there
// are other credentials since, or the files have changed.
func (c condition) byRefusals() Health {
	r, s := c.history.Refused, c.credentials
	if r.Run == 0 || !c.since(r.Last, current) || s != nil && (r.Last.At.Before(s.Obtained) || r.Last.At.Before(s.Edited)) {
		return Health{}
	}
	return Health{Level: Unhealthy, Summary: r.Last.Message, Action: c.remedy(r.Last)}
}

// byCircuit tells of an upstream that is left alone. A circuit that nobody tries is no news after a while.
func (c condition) byCircuit() Health {
	last := c.history.Failed.Last
	what := fmt.Sprintf("the upstream failed %d times in a row", c.config.Breaker.Failures)
	if last != nil {
		what += " (" + last.Message + ")"
	}
	switch {
	case c.limits.Circuit == "open":
		what += " and is tried again in " + roughly(time.Duration(c.limits.OpenFor*float64(time.Second)))
	case c.limits.Circuit == "half_open" && c.since(last, current):
		what += "; the next call tries it again"
	default:
		return Health{}
	}
	return Health{Level: Unhealthy, Summary: what, Action: c.remedy(last)}
}

// byFailures tells of calls that failed upstream. A single one that others followed is no sign of anything.
func (c condition) byFailures() Health {
	r := c.history.Failed
	if !c.since(r.Last, current) {
		return Health{}
	}
	h := Health{Level: Degraded, Summary: r.calls("failed") + ": " + r.Last.Message, Action: c.remedy(r.Last)}
	switch {
	case r.Run >= 3, r.Bad >= remembered/2:
		h.Level = Unhealthy
	case r.Run == 0 && r.Bad < 2:
		return Health{}
	}
	return h
}

// byDesertions tells of an upstream that is too slow for the clients: they give up before timeouts.first_byte ends.
func (c condition) byDesertions() Health {
	r := c.history.Deserted
	if !c.since(r.Last, current) || r.Run < 3 && r.Bad < remembered/2 {
		return Health{}
	}
	return Health{
		Level: Degraded, Summary: r.calls("had no answer yet when the client left"),
		Action: &Action{Text: fmt.Sprintf("see whether the upstream hangs: timeouts.first_byte is %s", c.config.Timeouts.FirstByte), Command: c.look()},
	}
}

func (c condition) byThrottling() Health {
	r := c.history.Throttled
	if !c.since(r.Last, pressing) || r.Run == 0 && r.Bad < 2 {
		return Health{}
	}
	return Health{
		Level: Degraded, Summary: r.calls("came too often for the upstream"),
		Action: &Action{Text: "set limits.rate or limits.calls of the route to what the upstream allows"},
	}
}

func (c condition) bySheds() Health {
	r := c.history.Shed
	if !c.since(r.Last, pressing) || r.Run == 0 && r.Bad < 2 {
		return Health{}
	}
	return Health{Level: Degraded, Summary: r.calls("found no room") + ": " + r.Last.Message, Action: c.remedy(r.Last)}
}

// since reports whether f was no longer ago than that.
func (c condition) since(f *Failure, d time.Duration) bool { return f != nil && c.now.Sub(f.At) <= d }
