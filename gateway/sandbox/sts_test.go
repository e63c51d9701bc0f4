package sandbox

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// caller asks an STS as somebody.
func caller(url string, c Credentials) *sts.Client {
	return sts.New(sts.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(url), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, nil
		}),
	})
}

func newSTS(t *testing.T, o STSOptions) (*Sandbox, *STS, Credentials) {
	t.Helper()
	s := New(Options{})
	t.Cleanup(s.Close)
	return s, s.STS(o), s.IssueStatic("base")
}

func TestSTSHandsOutKeysThatServersKnow(t *testing.T) {
	s, service, base := newSTS(t, STSOptions{})
	agent := s.Identity("agent")
	out, err := caller(service.URL(), base).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String(agent.RoleARN), RoleSessionName: aws.String("me"), ExternalId: aws.String("ext"), DurationSeconds: aws.Int32(900),
	})
	if err != nil {
		t.Fatal(err)
	}
	left := time.Until(*out.Credentials.Expiration)
	if left < 890*time.Second || left > 900*time.Second {
		t.Errorf("they expire in %s", left)
	}
	set, ok := s.key(*out.Credentials.AccessKeyId)
	if !ok || set.SecretAccessKey != *out.Credentials.SecretAccessKey || set.SessionToken != *out.Credentials.SessionToken || set.Identity != "agent" {
		t.Errorf("%+v", set)
	}
	want := Assumption{RoleARN: agent.RoleARN, SessionName: "me", ExternalID: "ext", Duration: 900 * time.Second, Caller: "base"}
	if got := service.Granted(); len(got) != 1 || got[0] != want {
		t.Errorf("%+v", got)
	}
	arn := "arn:aws:sts::" + agent.Account + ":assumed-role/agent/me"
	if *out.AssumedRoleUser.Arn != arn {
		t.Errorf("%s, want %s", *out.AssumedRoleUser.Arn, arn)
	}
	who, err := caller(service.URL(), set.Credentials).GetCallerIdentity(t.Context(), nil)
	if err != nil || *who.Arn != arn || *who.UserId != "AROAAGENT:me" || *who.Account != agent.Account {
		t.Errorf("%v %+v", err, who)
	}
}

func TestSTSKnowsLongLivedKeys(t *testing.T) {
	s, service, base := newSTS(t, STSOptions{})
	who, err := caller(service.URL(), base).GetCallerIdentity(t.Context(), nil)
	if err != nil || *who.Arn != "arn:aws:iam::"+s.Identity("base").Account+":user/base" || *who.UserId != "AIDABASE" {
		t.Errorf("%v %+v", err, who)
	}
}

func TestSTSSaysTheLifeItIsToldTo(t *testing.T) {
	s, service, base := newSTS(t, STSOptions{Life: 3 * time.Second})
	out, err := caller(service.URL(), base).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String(s.Identity("agent").RoleARN), RoleSessionName: aws.String("me"),
	})
	if err != nil || time.Until(*out.Credentials.Expiration) > 3*time.Second {
		t.Errorf("%v %+v", err, out)
	}
	if got := service.Granted(); len(got) != 1 || got[0].Duration != time.Hour {
		t.Errorf("%+v", got)
	}
}

func TestSTSRefusesAsSTSDoes(t *testing.T) {
	s, service, base := newSTS(t, STSOptions{Life: time.Minute})
	agent := s.Identity("agent").RoleARN
	wrong, revoked, old := base, s.IssueStatic("base"), s.Issue("base", time.Hour)
	wrong.SecretAccessKey = "wrong"
	s.Revoke(revoked.AccessKeyID)
	s.keys[old.AccessKeyID].until = time.Now().Add(-time.Second)
	for name, test := range map[string]struct {
		as            Credentials
		role, session string
		seconds       int32
		code          string
		status        int
	}{
		"an unknown role": {base, "arn:aws:iam::1:role/none", "me", 900, "AccessDenied", 403},
		"a wrong secret":  {wrong, agent, "me", 900, "SignatureDoesNotMatch", 403},
		"a revoked key":   {revoked, agent, "me", 900, "InvalidClientTokenId", 403},
		"an expired one":  {old, agent, "me", 900, "ExpiredToken", 403},
		"no name":         {base, agent, "", 900, "ValidationError", 400},
		"too short":       {base, agent, "me", 899, "ValidationError", 400},
		"too long":        {base, agent, "me", 43201, "ValidationError", 400},
	} {
		_, err := caller(service.URL(), test.as).AssumeRole(t.Context(), &sts.AssumeRoleInput{
			RoleArn: &test.role, RoleSessionName: &test.session, DurationSeconds: &test.seconds,
		})
		var api smithy.APIError
		var answer interface{ HTTPStatusCode() int }
		if !errors.As(err, &api) || api.ErrorCode() != test.code || !errors.As(err, &answer) || answer.HTTPStatusCode() != test.status {
			t.Errorf("%s: %v, want %s", name, err, test.code)
		}
	}
	if service.Asked() != 7 || len(service.Granted()) != 0 {
		t.Errorf("asked %d, granted %v", service.Asked(), service.Granted())
	}
	if refused := s.Ledger().Refused(); refused["InvalidSignatureException"] != 1 || refused["UnrecognizedClientException"] != 1 || refused["ExpiredTokenException"] != 1 || len(refused) != 3 {
		t.Errorf("%v", refused)
	}
	for _, x := range []exchange{{"POST", "Action=GetCallerIdentity", 403, "<Code>MissingAuthenticationToken</Code>"}} {
		x.check(t, service.URL())
	}
}

func TestSTSTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := New(Options{}), newPipe()
		defer s.Close()
		service := s.STS(STSOptions{Delay: func(n int) time.Duration { return time.Duration(n) * time.Minute }})
		service.Serve(p)
		client := p.client()
		defer client.CloseIdleConnections()
		for n := range 2 {
			began := time.Now()
			response, err := client.Post("http://h/", "application/x-www-form-urlencoded", strings.NewReader(""))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if took := time.Since(began); took != time.Duration(n+1)*time.Minute || response.StatusCode != http.StatusForbidden {
				t.Errorf("request %d took %s: %d", n+1, took, response.StatusCode)
			}
		}
	})
}
