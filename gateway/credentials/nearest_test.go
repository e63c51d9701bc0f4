package credentials

import "testing"

func TestAMisspeltNameFindsItsNeighbour(t *testing.T) {
	words := []string{"default", "dev", "production", "prod-eu", "staging"}
	for name, want := range map[string]string{
		"prodution": "production", "stagign": "staging", "dve": "", "de": "", "dex": "dev", "Production": "production",
		"prod-us": "prod-eu", "team": "", "": "", "productionproduction": "", "staging": "staging",
	} {
		if got := nearest(name, words); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestDistanceIsTheFewestEdits(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"same", "same", 0}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
