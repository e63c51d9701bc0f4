package main

import (
	"fmt"
	"strings"
	"testing"
)

// ran is an outcome in which n scenarios have one check each that passed, and then others.
func ran(n, scored int, passed bool, others ...check) outcome {
	o := outcome{tally: tally{}, passed: passed, scored: scored}
	for i := range n {
		o.tally[check{fmt.Sprint("scenario", i), "a", "SUCCESS"}]++
	}
	for _, c := range others {
		o.tally[c]++
	}
	return o
}

func TestJudgeFindsWhatIsNotAsItMustBe(t *testing.T) {
	broken := check{"scenario0", "b", "FAILURE"}
	for name, test := range map[string]struct {
		server, version string
		direct, gateway outcome
		want            string // in the error, "" for none
	}{
		"equal and complete":             {"dual", "2025-11-25", ran(33, 30, true), ran(33, 30, true), ""},
		"different":                      {"dual", "2025-11-25", ran(33, 30, true), ran(33, 30, false, broken), "1 outcomes differ\n    scenario0 b FAILURE: 0 direct, 1"},
		"equal, too few":                 {"dual", "2025-11-25", ran(32, 30, true), ran(32, 30, true), "32 scenarios ran, want 33"},
		"equal, both failed":             {"dual", "2025-11-25", ran(33, 30, true, broken), ran(33, 30, true, broken), "these failed: scenario0"},
		"the other era may fail":         {"go-modern", "2025-11-25", ran(33, 30, false, broken), ran(33, 30, false, broken), ""},
		"the other era must be equal":    {"go-modern", "2025-11-25", ran(33, 30, false, broken), ran(33, 30, false), "1 outcomes differ"},
		"modern, an extension fails":     {"dual", modernVersion, ran(50, 37, true, broken), ran(50, 37, true, broken), ""},
		"modern, what is scored fails":   {"dual", modernVersion, ran(50, 37, false, broken), ran(50, 37, false, broken), "passed: false"},
		"modern, too little is scored":   {"dual", modernVersion, ran(50, 36, true), ran(50, 36, true), "36 scenarios are scored"},
		"legacy server, its own version": {"go-legacy", "2025-03-26", ran(1, 1, true), ran(1, 1, true), ""},
	} {
		err := judge(test.server, test.version, test.direct, test.gateway)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// What is compared anew must be a check with a time limit, and nothing else with it.
func TestOnlyATimedCheckIsAReasonToCompareAgain(t *testing.T) {
	ack := difference{check{"server-stateless", "sep-2575-server-sends-subscription-ack", "FAILURE"}, 0, 1, ""}
	other := difference{check{"server-stateless", "sep-2575-http-server-error-jsonrpc-id", "FAILURE"}, 0, 1, ""}
	elsewhere := difference{check{"ping", "sep-2575-server-sends-subscription-ack", "FAILURE"}, 0, 1, ""}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"timed":               {&differing{"", []difference{ack}}, true},
		"wrapped":             {fmt.Errorf("x: %w", &differing{"", []difference{ack}}), true},
		"another check":       {&differing{"", []difference{other}}, false},
		"another with it":     {&differing{"", []difference{ack, other}}, false},
		"another scenario":    {&differing{"", []difference{elsewhere}}, false},
		"not all that passed": {complete("", "2025-11-25", ran(1, 1, true)), false},
	} {
		if got := hurried(test.err); got != test.want {
			t.Errorf("%s: %v: got %t", name, test.err, got)
		}
	}
}

func TestAClientMustPassBothWays(t *testing.T) {
	good, bad := ran(1, 1, true), ran(1, 1, true, check{"scenario0", "b", "FAILURE"})
	for name, test := range map[string]struct {
		direct, gateway outcome
		passes          bool
	}{
		"both": {good, good, true}, "not through a route": {good, bad, false}, "not directly": {bad, good, false},
		"it exited with an error": {good, ran(1, 1, false), false}, "it checked nothing": {good, ran(0, 0, true), false},
	} {
		if err := judgeClient(scenario{"x", "y"}, test.direct, test.gateway); (err == nil) != test.passes {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSuiteSaysWhatIsNotScored(t *testing.T) {
	text := "Total: 165 passed, 30 failed\n\nNot scored for 2026-07-28: 13 scenario(s) run, 9 failing. These do not affect conformance.\n"
	if got := unscored(text); got != 13 {
		t.Errorf("got %d", got)
	}
	if got := unscored("Total: 3 passed, 0 failed\n"); got != 0 {
		t.Errorf("got %d where it says nothing", got)
	}
}
