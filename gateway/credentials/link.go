package credentials

import (
	"context"
	"errors"
	"fmt"
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

// A link is one profile of a chain: it has credentials, or asks for them with those of the next link.
type link struct {
	profile *config.SharedConfig
	env     config.EnvConfig
	options ProfileOptions
	region  string
}

// fetch is the credentials of the link.
func (l link) fetch(ctx context.Context) (aws.Credentials, error) {
	p := l.profile
	switch {
	case p.RoleARN != "":
		return l.assume(ctx)
	case p.Credentials.HasKeys():
		return p.Credentials, usable(p.Credentials, l.name())
	case p.CredentialProcess != "":
		return l.process(ctx)
	case p.SSOSessionName != "" || p.SSOStartURL != "":
		return l.unsupported("SSO")
	case p.WebIdentityTokenFile != "":
		return l.unsupported("web identity")
	case p.CredentialSource != "":
		return l.unsupported("credential_source")
	}
	return aws.Credentials{}, &Error{
		Reason: "no_credentials", Action: "aws configure --profile " + p.Profile,
		Message: l.name() + ": it names no source of credentials that is supported",
	}
}

func (l link) name() string { return fmt.Sprintf("profile %q", l.profile.Profile) }

func (l link) unsupported(what string) (aws.Credentials, error) {
	return aws.Credentials{}, &Error{Reason: "no_credentials", Message: l.name() + ": " + what + " is not supported yet"}
}

// assume asks STS for the role, with the credentials of the profile's source.
func (l link) assume(ctx context.Context) (aws.Credentials, error) {
	p := l.profile
	if p.MFASerial != "" {
		return aws.Credentials{}, &Error{Reason: "mfa", Message: l.name() + " wants an MFA code, and a gateway has nobody to ask; use a profile whose session already has it"}
	}
	if p.CredentialSource != "" {
		return l.unsupported("credential_source")
	}
	if p.WebIdentityTokenFile != "" {
		return l.unsupported("web identity")
	}
	if p.Source == nil {
		return aws.Credentials{}, &Error{Reason: "no_credentials", Message: l.name() + " has role_arn but no source_profile"}
	}
	if l.region == "" {
		return aws.Credentials{}, &Error{Reason: "no_credentials", Message: l.name() + ": no region to ask STS in: set region in the profile or on the route"}
	}
	next := l
	next.profile = p.Source
	source, err := next.fetch(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	creds, err := stscreds.NewAssumeRoleProvider(l.client(source), p.RoleARN, l.role).Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, l.refused(err)
	}
	return creds, nil
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

// client asks STS with the given credentials. An aws.Config made by hand knows AWS_ENDPOINT_URL_STS and the
// profile's endpoint_url only through ConfigSources.
func (l link) client(source aws.Credentials) *sts.Client {
	client := l.options.HTTPClient
	if client == nil {
		client = awshttp.NewBuildableClient().WithTimeout(stsTimeout)
	}
	return sts.NewFromConfig(aws.Config{
		Region:           l.region,
		HTTPClient:       client,
		Credentials:      fixed(source),
		RetryMaxAttempts: 1,
		ConfigSources:    []any{l.env, *l.profile},
	})
}

// fixed is credentials as a provider.
func fixed(creds aws.Credentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return creds, nil })
}

// refused says why STS gave nothing: by the class of the error, with nothing it said but its code.
func (l link) refused(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return &Error{
			Reason: "no_credentials", Err: err,
			Message: fmt.Sprintf("%s: STS refused to assume %s (%s)", l.name(), l.profile.RoleARN, api.ErrorCode()),
		}
	}
	return &Error{Reason: "sts_unreachable", Message: fmt.Sprintf("%s: STS could not be reached", l.name()), Err: err}
}
