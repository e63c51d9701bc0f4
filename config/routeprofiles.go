package config

import (
	"fmt"
	"reflect"
	"slices"
)

// checkProfiles holds a route's profiles against the rules, and makes the first of them the one to sign as.
func (v *routeRules) checkProfiles() {
	r := &v.route
	for i, name := range r.Profiles {
		path := fmt.Sprintf("/profiles/%d", i)
		if slices.Contains(r.Profiles[:i], name) {
			v.problem(path, "stands twice", "")
		}
		if name == "" {
			v.problem(path, "is empty", "the default profile is called default")
		}
	}
	switch {
	case len(r.Profiles) > 0 && r.Profile != "":
		v.problem("/profiles", "goes with no profile", "take profile away: the first of profiles is the one to sign as")
	case len(r.Profiles) > 0 && !r.signs():
		v.problem("/profiles", "is for a route that signs, and upstream_auth is none", "take one of the two away")
	case len(r.Profiles) > 0:
		r.Profile = r.Profiles[0]
	}
	v.checkProfileParam()
}

func (v *routeRules) checkProfileParam() {
	p := v.route.ProfileParam
	if len(v.route.Profiles) < 2 {
		if !reflect.DeepEqual(p, DefaultRoute().ProfileParam) {
			v.problem("/profile_param", "is of no effect without two profiles", "name them in profiles, or take it away")
		}
		return
	}
	if !isWord(p.Name, "_-", 1, 64) {
		v.problem("/profile_param/name", "is no name of a parameter", "1 to 64 letters, digits, _ and -")
	}
	if len(p.Tools) == 0 {
		v.problem("/profile_param/tools", "is empty: no call could name a profile", `write ["*"] for all tools`)
	}
	v.checkPatterns("/profile_param/tools", p.Tools)
}
