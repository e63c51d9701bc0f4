package main

import "testing"

func TestLastValueOfAVariableCounts(t *testing.T) {
	env := environ{"A=1", "AB=2", "A=3", "B="}
	for name, want := range map[string]string{"A": "3", "AB": "2", "B": "", "C": ""} {
		if got := env.get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
