package gateway

import (
	"fmt"
	"strings"
)

// judge is the health of the whole: what its routes are, and whether the last config was applied.
func (s Status) judge() Health {
	h := Health{Level: Healthy, Admin: Enabled}
	if s.Draining {
		h.Admin = Draining
	}
	ill, serving := map[string][]string{}, 0
	var first *Action
	for _, r := range s.Routes {
		if r.Health.Admin == Disabled {
			continue
		}
		serving++
		ill[r.Health.Level] = append(ill[r.Health.Level], r.Name)
		if badness(r.Health.Level) > badness(h.Level) {
			h.Level, first = r.Health.Level, r.Health.Action
		}
	}
	var facts []string
	for _, level := range []string{Unhealthy, Degraded} {
		if names := ill[level]; len(names) > 0 {
			facts = append(facts, fmt.Sprintf("%d of %d %s (%s)", len(names), serving, level, few(names)))
		}
	}
	h.Summary, h.Action = "all routes are healthy", first
	if len(facts) > 0 {
		h.Summary = "routes: " + strings.Join(facts, ", ")
	}
	if !s.LastReload.OK {
		fix := &Action{Text: "the old config serves on until the file is mended", Command: "signet validate " + shellWord(s.Snapshot.Path)}
		if h.Level == Healthy {
			h.Level, h.Action = Degraded, fix
		}
		h.Summary = "the config file was refused; " + h.Summary
	}
	return h
}

// few are the first names of a list.
func few(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
