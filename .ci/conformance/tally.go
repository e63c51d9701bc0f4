package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A check is one outcome of a scenario.
type check struct{ scenario, id, status string }

func (c check) String() string { return c.scenario + " " + c.id + " " + c.status }

// A tally is how often each outcome came: the multiset of (scenario, check, status) of a run of the suite.
type tally map[check]int

// readTally reads what the suite wrote into a directory: one for each scenario, with its checks in it. The suite
// names them SCENARIO-TIME, and those of servers server-SCENARIO-TIME. said is the suite's word on an outcome, where
// it has one.
func readTally(dir string) (_ tally, said map[check]string, _ error) {
	names, err := filepath.Glob(filepath.Join(dir, "*", "checks.json"))
	if err != nil {
		return nil, nil, err
	}
	dated := regexp.MustCompile(`^(?:server-)?(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$`)
	all, said := tally{}, map[check]string{}
	for _, name := range names {
		match := dated.FindStringSubmatch(filepath.Base(filepath.Dir(name)))
		if match == nil {
			return nil, nil, fmt.Errorf("%s: not the name of a scenario and a time", filepath.Dir(name))
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, nil, err
		}
		var checks []struct{ ID, Status, ErrorMessage string }
		if err := json.Unmarshal(text, &checks); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, c := range checks {
			one := check{match[1], c.ID, c.Status}
			all[one]++
			said[one] = c.ErrorMessage
		}
	}
	return all, said, nil
}

// count is how many checks have that status.
func (t tally) count(status string) int {
	n := 0
	for c, times := range t {
		if c.status == status {
			n += times
		}
	}
	return n
}

// scenarios are those that ran, and those of them that have a check that failed.
func (t tally) scenarios() (all, failed []string) {
	for c := range t {
		all = append(all, c.scenario)
		if c.status == "FAILURE" {
			failed = append(failed, c.scenario)
		}
	}
	slices.Sort(all)
	slices.Sort(failed)
	return slices.Compact(all), slices.Compact(failed)
}

// A difference is an outcome that came more often in one run than in the other.
type difference struct {
	check
	direct, gateway int
	said            string // by the suite, or ""
}

func (d difference) String() string {
	text := fmt.Sprintf("%s: %d direct, %d through the gateway", d.check, d.direct, d.gateway)
	if d.said != "" {
		text += ": " + d.said
	}
	return text
}

// differences are in order; there are none when the two are equal.
func differences(direct, gateway tally) []difference {
	var found []difference
	both := maps.Clone(direct)
	maps.Copy(both, gateway)
	for c := range both {
		if direct[c] != gateway[c] {
			found = append(found, difference{check: c, direct: direct[c], gateway: gateway[c]})
		}
	}
	slices.SortFunc(found, func(a, b difference) int {
		return cmp.Or(strings.Compare(a.scenario, b.scenario), strings.Compare(a.id, b.id), strings.Compare(a.status, b.status))
	})
	return found
}
