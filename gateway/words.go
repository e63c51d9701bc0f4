package gateway

import (
	"fmt"
	"time"
)

// calls says how many of the last calls did what.
func (r Recent) calls(what string) string {
	switch {
	case r.Run == 1:
		return "the last call " + what
	case r.Run == r.Calls:
		return fmt.Sprintf("all of the last %d calls %s", r.Run, what)
	case r.Run > 1:
		return fmt.Sprintf("the last %d calls %s", r.Run, what)
	}
	return fmt.Sprintf("%d of the last %d calls %s", r.Bad, r.Calls, what)
}

// calm is what there is to say of a route of which nothing bad is known now.
func (c condition) calm() string {
	h, s := c.history, c.credentials
	var last *Failure
	for _, f := range []*Failure{h.Failed.Last, h.Refused.Last, h.Throttled.Last, h.Shed.Last, h.Deserted.Last} {
		if f != nil && (last == nil || last.At.Before(f.At)) {
			last = f
		}
	}
	switch {
	case last != nil && h.Answered.Before(last.At):
		return fmt.Sprintf("the last call, %s ago, failed: %s", roughly(c.now.Sub(last.At)), last.Message)
	case !h.Answered.IsZero():
		return fmt.Sprintf("the last call was answered %s ago", roughly(c.now.Sub(h.Answered)))
	case s != nil && s.Problem != nil && s.LastRefresh != nil:
		return fmt.Sprintf("no call for %s; then there were no credentials: %s", roughly(c.now.Sub(s.LastRefresh.At)), s.Problem.Message)
	}
	return "no call yet"
}

// roughly is a duration as people say it, in two units at most.
func roughly(d time.Duration) string {
	d = max(d, 0)
	switch s, m, h := int(d.Seconds()), int(d.Minutes()), int(d.Hours()); {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case m < 60:
		return fmt.Sprintf("%d min", m)
	case h < 24:
		return fmt.Sprintf("%d h %d min", h, m%60)
	default:
		return fmt.Sprintf("%d d %d h", h/24, h%24)
	}
}
