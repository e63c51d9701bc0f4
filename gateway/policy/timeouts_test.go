package policy

import (
	"testing"
	"time"
)

func TestTimeoutsAreThoseOfThePatternThatSaysMost(t *testing.T) {
	limits := NewTimeouts(map[string]time.Duration{
		"*": 1, "slow_*": 2, "slow_report_*": 3, "slow_report_of_the_year": 4, "slow_report_of_???_year": 5,
		"*_tie": 7, "tie_*": 6, "é": 8,
	})
	for name, want := range map[string]time.Duration{
		"x": 1, "slow_": 2, "slow_query": 2, "slow_report_1": 3, "slow_report_of_the_year": 4, "slow_report_of_any_year": 5,
		"tie_tie": 6, "a_tie": 7, "é": 8, "SLOW_query": 1,
	} {
		for range 20 { // the order of a map is another each time
			if got := limits.Of(name); got != want {
				t.Errorf("%q may take %d, want %d", name, got, want)
			}
		}
	}
	if NewTimeouts(nil) != nil {
		t.Error("no pattern made a limit")
	}
	if got := NewTimeouts(map[string]time.Duration{"a": 1}).Of("b"); got != 0 {
		t.Errorf("a tool of no pattern may take %d", got)
	}
}
