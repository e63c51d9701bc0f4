package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"signet/gateway/policy"
)

// maxDrifts is how many tools that are not as they were accepted a route remembers.
const maxDrifts = 1000

// drifts are the tools of a route that are not as they were accepted. Each is logged once as it is.
type drifts struct {
	mu  sync.Mutex
	all map[string]drift // by name; under mu
}

// A drift is one of them.
type drift struct {
	what string // "new", or "changed: description, inputSchema"
	hash string // of what it is now
}

// compare holds a tool that a list has against what was accepted of it.
func (c *call) compare(tool policy.Tool) policy.Drift {
	rt := c.route
	state := rt.pins.Drift(tool)
	if state == policy.Accepted {
		rt.drifts.settle(tool.Name)
		return state
	}
	now, err := policy.Define(tool.Value.Raw())
	what := "new"
	switch {
	case err != nil:
		what = "changed: it is read in two ways: " + err.Error()
	case state == policy.Changed:
		changed := policy.ChangedFields(rt.config.Pins[tool.Name].Definition, now.Text)
		what = "changed: " + strings.Join(changed, ", ")
	}
	c.record.Drifted(tool.Name, what)
	if tool.Name == "" || !rt.drifts.learn(tool.Name, drift{what, now.Hash}) {
		return state
	}
	rt.log.Warn("a tool is not as it was accepted", "tool", tool.Name, "drift", what,
		"blocked", rt.config.Tools.Pin == "block", "see", "signet pin "+rt.name)
	if hidden := policy.Hidden(now.Text); len(hidden) > 0 {
		rt.log.Warn("a tool has characters that a reader does not see and a model does", "tool", tool.Name, "characters", strings.Join(hidden, " "))
	}
	return state
}

// learn notes a drift, and reports whether it is another than before.
func (d *drifts) learn(name string, now drift) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, known := d.all[name]
	if known && before == now || !known && len(d.all) >= maxDrifts {
		return false
	}
	if d.all == nil {
		d.all = map[string]drift{}
	}
	d.all[name] = now
	return true
}

// settle notes that a tool is as it was accepted.
func (d *drifts) settle(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.all, name)
}

// status is each drift as "tool: what".
func (d *drifts) status() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(d.all)) {
		all = append(all, fmt.Sprintf("%s: %s", name, d.all[name].what))
	}
	return all
}
