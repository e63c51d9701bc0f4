package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// lattice is the signing name of VPC Lattice, which takes no signature over a body.
const lattice = "vpc-lattice-svcs"

// meant is what to think of a scope that the host contradicts.
const meant = "AWS will refuse the signature unless this is meant"

// signs reports whether a route's requests are signed, or may be.
func (r Route) signs() bool { return r.UpstreamAuth != "none" }

// checkSigning judges service, region and profile of a route that signs.
func (v *routeRules) checkSigning(u *url.URL) {
	host := strings.ToLower(u.Hostname())
	switch {
	case v.route.Region == "global" || strings.HasSuffix(host, ".global.api.aws"):
		v.problem("/region", "global is no region to sign for", "such endpoints take upstream_auth: none")
	case v.route.Service == "s3" || isS3(host):
		v.problem("/upstream", "S3 serves no MCP, and signs its paths by a rule of its own", "name the MCP server in front of it")
	case v.route.Service == "":
		if !v.broken(v.path + "/service") {
			v.problem("", fmt.Sprintf("the host %s does not say which AWS service it is", v.shown(v.path+"/upstream", u.Hostname())),
				"set service (the signing name), and region; or upstream_auth: none")
		}
	default:
		v.checkScope(host)
	}
	if len(v.route.Profiles) == 0 {
		v.checkProfile("/profile", v.route.Profile)
	}
	for i, name := range v.route.Profiles {
		v.checkProfile(fmt.Sprintf("/profiles/%d", i), name)
	}
}

// checkScope judges the region and service that a signature names.
func (v *routeRules) checkScope(host string) {
	service, region, known := ServiceRegion(host)
	r := v.route
	if r.Region != "" && !isScope(r.Region) {
		v.problem("/region", "is no region", "write us-east-1, for instance")
		return
	}
	if !isScope(r.Service) {
		v.problem("/service", "is no service", "write execute-api, for instance")
		return
	}
	if known && region != "" && r.Region != region {
		v.warn("/region", fmt.Sprintf("is %s, but the host is in %s", v.shown(v.path+"/region", r.Region), v.shown(v.path+"/upstream", region)), meant)
	}
	if known && r.Service != service {
		v.warn("/service", fmt.Sprintf("is %s, but the host is of %s", v.shown(v.path+"/service", r.Service), service), meant)
	}
	if r.Service == lattice && r.Payload == "signed" {
		v.warn("/payload", "is signed, but VPC Lattice takes unsigned payloads alone", meant)
	}
}

// isScope reports whether a word can stand in a signature's scope, which is words between slashes.
func isScope(word string) bool {
	return strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// checkProfile warns of a profile that nothing can be signed with.
func (v *routeRules) checkProfile(key, name string) {
	if name == "" || v.profiles == nil {
		return
	}
	shown, without := v.shown(v.path+key, name), "calls will fail"
	if v.route.UpstreamAuth == "sigv4-optional" {
		without = "nothing is signed"
	}
	p, known := v.profiles[name]
	switch {
	case !known:
		hint := "aws configure --profile " + shown
		if near := closest(name, slices.Sorted(maps.Keys(v.profiles))); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		v.warn(key, fmt.Sprintf("no profile %q in ~/.aws/config or ~/.aws/credentials: %s until there is", shown, without), hint)
	case !p.lends() && !p.has["login_session"]:
		v.warn(key, fmt.Sprintf("profile %q names no source of credentials: %s until it does", shown, without), "aws configure --profile "+shown)
	default:
		v.checkChain(key, name, shown)
	}
}

// checkChain warns of what a gateway cannot do with a profile, or with one that it names as its source.
func (v *routeRules) checkChain(key, name, shown string) {
	for seen := map[string]bool{}; !seen[name]; {
		p, first := v.profiles[name], len(seen) == 0
		seen[name] = true
		if !first && p.hasKeys() || !p.has["role_arn"] {
			return
		}
		if role := v.route.AssumeRole; first && role.ARN != "" && role.Duration > chained {
			v.warn("/assume_role/duration", fmt.Sprintf("is more than 1h, and profile %q is itself a role", shown),
				"AWS gives a role that is taken by a role one hour at most")
		}
		if p.has["mfa_serial"] {
			v.warn(key, fmt.Sprintf("profile %q wants an MFA code, and a gateway has nobody to ask", shown),
				"name a profile whose session already has it")
			return
		}
		source, known := v.profiles[p.source]
		switch {
		case p.source == "":
			return
		case !known:
			v.warn(key, fmt.Sprintf("profile %q: there is no source profile %q", shown, p.source), "aws configure --profile "+p.source)
			return
		case source.has["login_session"] && !source.lends():
			v.warn(key, fmt.Sprintf("profile %q: its source profile %q is one of aws login, which AWS's SDK takes for no source", shown, p.source),
				fmt.Sprintf("write profile: %s, and the role in assume_role", p.source))
			return
		}
		name, shown = p.source, p.source
	}
}
