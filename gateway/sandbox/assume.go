package sandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Assumption is one role that was assumed.
type Assumption struct {
	// RoleARN, SessionName and ExternalID are what was asked, and Duration for how long.
	RoleARN, SessionName, ExternalID string
	Duration                         time.Duration

	// Tags are the session's: k=v of each, sorted, with commas between.
	Tags string

	// Caller is who asked. Empty: whoever held a web identity's token, for nobody signs for that.
	Caller string

	// WebIdentity is whether it was AssumeRoleWithWebIdentity.
	WebIdentity bool
}

// RequireExternalID lets nobody assume an identity's role without that external id. Empty: anybody may again.
func (s *Sandbox) RequireExternalID(identity, id string) {
	name := s.Identity(identity).Name
	s.mu.Lock()
	defer s.mu.Unlock()
	s.external[name] = id
}

// assumable is the identity whose role may be assumed so, or nil.
func (s *Sandbox) assumable(role, externalID string) *Identity {
	id := s.role(role)
	if id == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if wanted := s.external[id.Name]; wanted != "" && wanted != externalID {
		return nil
	}
	return id
}

func (s *STS) assume(w *response, caller issued, form url.Values) {
	duration, no := asked(form)
	if no != nil {
		s.refuse(w, no)
		return
	}
	tags, no := sessionTags(form)
	if no != nil {
		s.refuse(w, no)
		return
	}
	if caller.SessionToken != "" && duration > time.Hour {
		s.refuse(w, invalidValue("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."))
		return
	}
	role := s.sandbox.assumable(form.Get("RoleArn"), form.Get("ExternalId"))
	if role == nil {
		s.refuse(w, refuse(403, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", caller.arn, form.Get("RoleArn")))
		return
	}
	a := Assumption{
		RoleARN: role.RoleARN, SessionName: form.Get("RoleSessionName"), ExternalID: form.Get("ExternalId"),
		Duration: duration, Tags: tags, Caller: caller.Identity,
	}
	s.grant(w, "AssumeRole", s.session(role, a))
}

// session is a new session of a role, as the result of the actions that make one has it.
func (s *STS) session(role *Identity, a Assumption) string {
	s.mu.Lock()
	s.granted = append(s.granted, a)
	s.mu.Unlock()
	life := a.Duration
	if s.options.Life != 0 {
		life = s.options.Life
	}
	c := s.sandbox.issue(role, a.SessionName, life)
	return "<Credentials>" + element("AccessKeyId", c.AccessKeyID) + element("SecretAccessKey", c.SecretAccessKey) +
		element("SessionToken", c.SessionToken) + element("Expiration", c.Expires.UTC().Format("2006-01-02T15:04:05.000Z")) + "</Credentials>" +
		"<AssumedRoleUser>" + element("Arn", role.ARN()+a.SessionName) +
		element("AssumedRoleId", "AROA"+strings.ToUpper(role.Name)+":"+a.SessionName) + "</AssumedRoleUser>"
}

// asked is how long a role is to be assumed for, or what STS has against the request.
func asked(form url.Values) (time.Duration, *refusal) {
	name := form.Get("RoleSessionName")
	other := func(c rune) bool {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		return !letter && !strings.ContainsRune("_+=,.@-", c)
	}
	switch {
	case name == "":
		return 0, unsatisfied("null", "roleSessionName", "Member must not be null")
	case len(name) < 2:
		return 0, unsatisfied("'"+name+"'", "roleSessionName", "Member must have length greater than or equal to 2")
	case len(name) > 64:
		return 0, unsatisfied("'"+name+"'", "roleSessionName", "Member must have length less than or equal to 64")
	case strings.ContainsFunc(name, other):
		return 0, unsatisfied("'"+name+"'", "roleSessionName", `Member must satisfy regular expression pattern: [\w+=,.@-]*`)
	case !form.Has("DurationSeconds"):
		return time.Hour, nil
	}
	seconds, err := strconv.Atoi(form.Get("DurationSeconds"))
	if err != nil || seconds < 900 || seconds > 43200 {
		return 0, unsatisfied("'"+form.Get("DurationSeconds")+"'", "durationSeconds", "Member must have value between 900 and 43200")
	}
	return time.Duration(seconds) * time.Second, nil
}

// sessionTags are the tags of a request, as an Assumption has them, or what STS has against them.
func sessionTags(form url.Values) (string, *refusal) {
	var tags []string
	seen := map[string]bool{}
	for n := 1; form.Has(fmt.Sprintf("Tags.member.%d.Key", n)); n++ {
		key, value := form.Get(fmt.Sprintf("Tags.member.%d.Key", n)), form.Get(fmt.Sprintf("Tags.member.%d.Value", n))
		switch folded := strings.ToLower(key); {
		case key == "" || len(key) > 128 || len(value) > 256 || n > 50:
			return "", unsatisfied("'"+key+"'", "tags", "Member must have length between 1 and 128, its value up to 256, and 50 are the most")
		case seen[folded]:
			return "", refuse(400, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		default:
			seen[folded] = true
			tags = append(tags, key+"="+value)
		}
	}
	slices.Sort(tags)
	return strings.Join(tags, ","), nil
}

// unsatisfied is a parameter that STS does not take.
func unsatisfied(value, parameter, constraint string) *refusal {
	return invalidValue("1 validation error detected: Value %s at '%s' failed to satisfy constraint: %s", value, parameter, constraint)
}

func invalidValue(format string, a ...any) *refusal {
	return refuse(400, "ValidationError", format, a...)
}
