package credentials

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// roleDuration is asked for when a profile is silent: what STS itself and boto3 take. The Go SDK takes 15
// minutes.
const roleDuration = time.Hour

// stsTimeout bounds one request to STS; the SDK has no limit.
const stsTimeout = 10 * time.Second

// assume asks STS for the role, with the credentials of the profile's source.
func (l link) assume(ctx context.Context) (aws.Credentials, error) {
	p := l.profile
	switch {
	case p.MFASerial != "":
		return aws.Credentials{}, &Error{Reason: "mfa", Message: l.name() + " wants an MFA code, and a gateway has nobody to ask; use a profile whose session already has it"}
	case l.region == "":
		return aws.Credentials{}, none(l.name() + ": no region to ask STS in: set region in the profile or on the route")
	}
	next := l
	next.profile = p.Source
	source, err := next.fetch(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	waitFor(ctx, "sts_unreachable", l.name()+": STS")
	ctx, cancel := context.WithTimeout(ctx, stsTimeout)
	defer cancel()
	creds, err := stscreds.NewAssumeRoleProvider(l.client(ctx, source), p.RoleARN, l.role).Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, l.refused(err)
	}
	return creds, usable(creds, l.name())
}

// role is what the profile says of the session it wants.
func (l link) role(o *stscreds.AssumeRoleOptions) {
	o.Duration = roleDuration
	if d := l.profile.RoleDurationSeconds; d != nil {
		o.Duration = *d
	}
	o.RoleSessionName = firstOf(l.profile.RoleSessionName, l.options.SessionName)
	if l.profile.ExternalID != "" {
		o.ExternalID = &l.profile.ExternalID
	}
}

// client asks STS with the given credentials. An aws.Config made by hand knows the endpoints of one service,
// AWS_ENDPOINT_URL_STS and the profile's services section, only through ConfigSources, and those of all
// services only when told.
func (l link) client(ctx context.Context, source aws.Credentials) *sts.Client {
	cfg := aws.Config{
		Region:           l.region,
		HTTPClient:       l.options.HTTPClient,
		Credentials:      fixed(source),
		RetryMaxAttempts: 1,
		ConfigSources:    []any{l.env, *l.profile},
	}
	ignored, _, err := config.GetIgnoreConfiguredEndpoints(ctx, cfg.ConfigSources)
	if endpoint := firstOf(l.env.BaseEndpoint, l.profile.BaseEndpoint); endpoint != "" && !(err == nil && ignored) {
		cfg.BaseEndpoint = &endpoint
	}
	return sts.NewFromConfig(cfg)
}

// fixed is credentials as a provider.
func fixed(creds aws.Credentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return creds, nil })
}

// refused says why STS gave nothing: by the class of the error, with nothing it said but its code.
func (l link) refused(err error) error {
	var api smithy.APIError
	switch {
	case !errors.As(err, &api) && errors.Is(err, context.DeadlineExceeded):
		return &Error{Reason: "sts_unreachable", Message: l.name() + ": STS did not answer in time", Err: err}
	case !errors.As(err, &api):
		return &Error{Reason: "sts_unreachable", Message: l.name() + ": STS could not be reached", Err: err}
	case busy(err, api):
		return &Error{Reason: "sts_unreachable", Message: fmt.Sprintf("%s: STS cannot serve now (%s)", l.name(), code(api)), Err: err}
	}
	return &Error{
		Reason: "no_credentials", Err: err,
		Message: fmt.Sprintf("%s: STS refused to assume %s (%s)", l.name(), l.profile.RoleARN, code(api)),
	}
}

// busy reports whether STS may say otherwise in a while: a 5xx or throttling is no word on the credentials.
func busy(err error, api smithy.APIError) bool {
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && (answer.HTTPStatusCode() >= 500 || answer.HTTPStatusCode() == 429) {
		return true
	}
	return strings.HasPrefix(api.ErrorCode(), "Throttl") || api.ErrorCode() == "RequestLimitExceeded"
}

// code is an error's code if it is one word, as AWS's are: whatever answered may have put anything there.
func code(api smithy.APIError) string {
	c := api.ErrorCode()
	for _, r := range c {
		if (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' {
			return "with no known code"
		}
	}
	if c == "" || len(c) > 64 {
		return "with no known code"
	}
	return c
}
