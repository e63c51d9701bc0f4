package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What AWS says of a role session.
const (
	shortest = 15 * time.Minute
	longest  = 12 * time.Hour
	chained  = time.Hour // the longest of a role that is taken by a role
	maxTags  = 50
)

// checkRole judges the role that a route takes.
func (v *routeRules) checkRole() {
	r := &v.route.AssumeRole
	if len(r.Tags) == 0 {
		r.Tags = nil // an empty map is no other role
	}
	switch {
	case reflect.DeepEqual(*r, DefaultRoute().AssumeRole):
		return
	case !v.route.signs():
		v.problem("/assume_role", "is for a route that signs, and upstream_auth is none", "take one of the two away")
		return
	case r.ARN == "":
		if arn := v.path + "/assume_role/arn"; !v.broken(arn) && !v.misspelt(arn) {
			v.problem("/assume_role", "has no arn", "write arn: arn:aws:iam::123456789012:role/NAME")
		}
	case !isRoleARN(r.ARN):
		v.problem("/assume_role/arn", "is no role's ARN", "write arn:aws:iam::123456789012:role/NAME")
	}
	if r.ExternalID != "" && !isWord(r.ExternalID, "_+=,.@:/-", 2, 1224) {
		v.problem("/assume_role/external_id", "is no external id", "2 to 1224 letters, digits and _ + = , . @ : / -")
	}
	if r.SessionName != "" && !isWord(r.SessionName, "_+=,.@-", 2, 64) {
		v.problem("/assume_role/session_name", "is no session name", "2 to 64 letters, digits and _ + = , . @ -")
	}
	if r.Duration < shortest || r.Duration > longest || r.Duration%time.Second != 0 {
		v.problem("/assume_role/duration", "must be from 15m to 12h, in whole seconds", "")
	}
	v.checkTags(r.Tags)
}

func (v *routeRules) checkTags(tags map[string]string) {
	if len(tags) > maxTags {
		v.problem("/assume_role/tags", fmt.Sprintf("are %d, and a session has at most %d", len(tags), maxTags), "")
	}
	seen := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		path, lower := "/assume_role/tags/"+key, strings.ToLower(key)
		first, twice := seen[lower]
		seen[lower] = key
		switch {
		case twice:
			v.problem(path, "stands twice, as "+first+": the case of a tag's key says nothing", "")
		case strings.HasPrefix(lower, "aws:"):
			v.problem(path, "begins with aws:, which is AWS's own", "")
		case !isTag(key) || utf8.RuneCountInString(key) > 128:
			v.problem(path, "is no tag's key", "1 to 128 letters, digits, spaces and _ . : / = + - @")
		case !isTag(tags[key]) || utf8.RuneCountInString(tags[key]) > 256:
			v.problem(path, "the value is none that a tag can have", "at most 256 letters, digits, spaces and _ . : / = + - @")
		}
	}
}

// isRoleARN reports whether a text is arn:PARTITION:iam::ACCOUNT:role/PATH/NAME.
func isRoleARN(text string) bool {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" {
		return false
	}
	partition, account := parts[1], parts[4]
	path, isRole := strings.CutPrefix(parts[5], "role/")
	name := path[strings.LastIndexByte(path, '/')+1:]
	return (partition == "aws" || strings.HasPrefix(partition, "aws-")) && isScope(partition) &&
		len(account) == 12 && strings.Trim(account, "0123456789") == "" &&
		isRole && isWord(name, "_+=,.@-", 1, 64) && len(path) <= 512+64 &&
		!strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r > '~' })
}

// isWord reports whether a text is letters, digits and some signs, of ASCII, and as long as it may be.
func isWord(text, signs string, least, most int) bool {
	return len(text) >= least && len(text) <= most && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(signs, r)
	})
}

// isTag reports whether a text has only what a tag's key or value may have.
func isTag(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.Is(unicode.Z, r) && !strings.ContainsRune("_.:/=+-@", r)
	})
}

// checkCredentials judges how the credentials are fetched.
func (v *routeRules) checkCredentials() {
	c := v.route.Credentials
	if c.Timeout <= 0 {
		v.problem("/credentials/timeout", "must be more than 0", "")
	}
	if c.Wait <= 0 {
		v.problem("/credentials/wait", "must be more than 0", "")
	}
	if c.InstanceMetadata && v.route.Profile != "" && v.route.signs() {
		v.problem("/credentials/instance_metadata", "goes with no profile: half a profile would sign as the machine",
			`write profile: "", or credential_source = Ec2InstanceMetadata in the profile`)
	}
}
