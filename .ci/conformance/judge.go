package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// tries is how often a comparison is made until it counts that checks with a time limit differ.
const tries = 3

// A differing is an error: what differs, in one comparison.
type differing struct {
	where string
	found []difference
}

func (d *differing) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d outcomes differ", d.where, len(d.found))
	for _, one := range d.found {
		fmt.Fprintf(&b, "\n    %s", one)
	}
	return b.String()
}

// judge reports what is wrong with a pair of runs: outcomes that differ, or a server that does not pass what it is
// known to pass.
func judge(server, version string, direct, gateway outcome) error {
	where := server + " " + version
	if found := differences(direct.tally, gateway.tally); len(found) > 0 {
		for i, one := range found {
			found[i].said = cmp.Or(gateway.said[one.check], direct.said[one.check])
		}
		return &differing{where, found}
	}
	if speaks(server, version) {
		return complete(where, version, gateway)
	}
	return nil
}

// scoredModern is how many scenarios are scored of the modern version: the others are of extensions, for tasks
// above all, that no server here has.
const scoredModern = 37

// complete reports whether all scenarios of a version ran, and all that are scored passed.
func complete(where, version string, o outcome) error {
	all, failed := o.tally.scenarios()
	switch {
	case len(all) != scenarioCount(version):
		return fmt.Errorf("%s: %d scenarios ran, want %d", where, len(all), scenarioCount(version))
	case !o.passed, version != modernVersion && len(failed) > 0, version == modernVersion && o.scored != scoredModern:
		return fmt.Errorf("%s: %d scenarios are scored, passed: %t; these failed: %s", where, o.scored, o.passed, strings.Join(failed, " "))
	}
	return nil
}

// judgeClient reports whether a client scenario passed both ways.
func judgeClient(s scenario, direct, gateway outcome) error {
	for way, o := range map[string]outcome{"direct": direct, "through a route": gateway} {
		if _, failed := o.tally.scenarios(); !o.passed || len(failed) > 0 || o.tally.count("SUCCESS") == 0 {
			return fmt.Errorf("client %s %s: failed %s", s.name, s.version, way)
		}
	}
	return nil
}

// hurried reports whether the only outcomes that differ are of checks which fail when a machine is slow, whoever
// is in between.
func hurried(err error) bool {
	d, ok := errors.AsType[*differing](err)
	if !ok {
		return false
	}
	for _, one := range d.found {
		if !timed(one.check) {
			return false
		}
	}
	return true
}

// timed reports whether a check has a time limit of its own in the suite that a busy machine can miss. These open a
// stream, read it for 500 to 1000 ms and judge what came by then: listenToStream in scenario server-stateless.
func timed(c check) bool {
	if c.scenario != "server-stateless" {
		return false
	}
	switch strings.TrimPrefix(c.id, "sep-2575-") {
	case "http-server-no-independent-requests-on-stream", "server-no-log-without-loglevel",
		"server-sends-subscription-ack", "server-tags-subscription-id", "server-honors-notification-filter",
		"server-sends-prompts-list-changed-on-subscription", "server-sends-tools-list-changed-on-subscription":
		return true
	}
	return false
}
