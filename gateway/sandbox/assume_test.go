package sandbox

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

// assume asks for an identity's role, and is the code of the refusal or "".
func assume(t *testing.T, service *STS, by Credentials, in sts.AssumeRoleInput) (code, message string) {
	t.Helper()
	if in.RoleSessionName == nil {
		in.RoleSessionName = aws.String("me")
	}
	_, err := caller(service.URL(), by).AssumeRole(t.Context(), &in)
	if err == nil {
		return "", ""
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		t.Fatal(err)
	}
	return api.ErrorCode(), api.ErrorMessage()
}

func TestSTSNotesTheTagsOfASession(t *testing.T) {
	s, service, base := newSTS(t, STSOptions{})
	role := aws.String(s.Identity("agent").RoleARN)
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	for _, tags := range [][]types.Tag{nil, {tag("team", "a=b"), tag("cost", "7"), tag("empty", "")}} {
		if code, message := assume(t, service, base, sts.AssumeRoleInput{RoleArn: role, Tags: tags}); code != "" {
			t.Fatalf("%s: %s", code, message)
		}
	}
	got := service.Granted()
	if len(got) != 2 || got[0].Tags != "" || got[1].Tags != "cost=7,empty=,team=a=b" {
		t.Errorf("%+v", got)
	}
	for name, test := range map[string]struct {
		tags []types.Tag
		code string
	}{
		"one twice":       {[]types.Tag{tag("Team", "1"), tag("team", "2")}, "InvalidParameterValue"},
		"one without key": {[]types.Tag{tag("", "1")}, "ValidationError"},
		"a long value":    {[]types.Tag{tag("k", strings.Repeat("v", 257))}, "ValidationError"},
		"a long key":      {[]types.Tag{tag(strings.Repeat("k", 129), "v")}, "ValidationError"},
	} {
		if code, _ := assume(t, service, base, sts.AssumeRoleInput{RoleArn: role, Tags: test.tags}); code != test.code {
			t.Errorf("%s: %q, want %s", name, code, test.code)
		}
	}
}

func TestSTSTakesAtMostFiftyTags(t *testing.T) {
	s, service, base := newSTS(t, STSOptions{})
	role := aws.String(s.Identity("agent").RoleARN)
	var tags []types.Tag
	for len(tags) < 51 {
		tags = append(tags, types.Tag{Key: aws.String("k" + strings.Repeat("x", len(tags))), Value: aws.String("v")})
	}
	if code, message := assume(t, service, base, sts.AssumeRoleInput{RoleArn: role, Tags: tags[:50]}); code != "" {
		t.Errorf("fifty: %s %s", code, message)
	}
	if code, _ := assume(t, service, base, sts.AssumeRoleInput{RoleArn: role, Tags: tags}); code != "ValidationError" {
		t.Errorf("fifty-one: %q", code)
	}
}

func TestARoleMayNeedAnExternalID(t *testing.T) {
	s, service, base := newSTS(t, STSOptions{})
	s.RequireExternalID("agent", "ext-1")
	agent, other := aws.String(s.Identity("agent").RoleARN), aws.String(s.Identity("other").RoleARN)
	for _, test := range []struct {
		role, id *string
		code     string
	}{
		{agent, nil, "AccessDenied"},
		{agent, aws.String("ext-2"), "AccessDenied"},
		{agent, aws.String("ext-1"), ""},
		{other, nil, ""},
		{other, aws.String("any"), ""},
	} {
		code, message := assume(t, service, base, sts.AssumeRoleInput{RoleArn: test.role, ExternalId: test.id})
		if code != test.code {
			t.Errorf("%s with %v: %q, want %q", *test.role, aws.ToString(test.id), code, test.code)
		}
		want := "User: arn:aws:iam::" + s.Identity("base").Account + ":user/base is not authorized to perform: sts:AssumeRole on resource: " + *agent
		if code != "" && message != want {
			t.Errorf("%s", message)
		}
	}
	s.RequireExternalID("agent", "")
	if code, _ := assume(t, service, base, sts.AssumeRoleInput{RoleArn: agent}); code != "" {
		t.Errorf("none needed any more: %s", code)
	}
}

func TestSTSKnowsWhatASessionMayBeCalled(t *testing.T) {
	s, service, base := newSTS(t, STSOptions{})
	role := aws.String(s.Identity("agent").RoleARN)
	for name, good := range map[string]bool{
		"ab": true, strings.Repeat("x", 64): true, "a_b+c=d,e.f@g-h": true, "signet-aws-0a1b": true,
		"a": false, strings.Repeat("x", 65): false, "a b": false, "a/b": false, "ä-ö": false,
	} {
		code, message := assume(t, service, base, sts.AssumeRoleInput{RoleArn: role, RoleSessionName: &name})
		if (code == "") != good || !good && (code != "ValidationError" || !strings.Contains(message, "'"+name+"' at 'roleSessionName'")) {
			t.Errorf("%q: %q %s", name, code, message)
		}
	}
}

func TestAChainedSessionLastsAnHourAtMost(t *testing.T) {
	s, service, base := newSTS(t, STSOptions{})
	role := aws.String(s.Identity("agent").RoleARN)
	for _, test := range []struct {
		by      Credentials
		seconds int32
		code    string
	}{
		{base, 3601, ""},
		{s.Issue("base", time.Hour), 3600, ""},
		{s.Issue("base", time.Hour), 3601, "ValidationError"},
	} {
		code, message := assume(t, service, test.by, sts.AssumeRoleInput{RoleArn: role, DurationSeconds: &test.seconds})
		if code != test.code || code != "" && !strings.HasSuffix(message, "for roles assumed by role chaining.") {
			t.Errorf("%.4s for %d s: %q %s", test.by.AccessKeyID, test.seconds, code, message)
		}
	}
}
