package credentials

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// roleDuration is asked for when a profile is silent: what STS itself and boto3 take. The Go SDK takes 15
// minutes.
const roleDuration = time.Hour

// assumeOwn asks STS for the profile's role, with the credentials of its source.
func (l link) assumeOwn(ctx context.Context) (aws.Credentials, error) {
	p := l.profile
	if p.MFASerial != "" {
		return aws.Credentials{}, &Error{Reason: "mfa", Message: l.name() + " wants an MFA code, and a gateway has nobody to ask; use a profile whose session already has it"}
	}
	if err := l.located(); err != nil {
		return aws.Credentials{}, err
	}
	source, err := l.source(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	role := Role{ARN: p.RoleARN, ExternalID: p.ExternalID, SessionName: p.RoleSessionName}
	if d := p.RoleDurationSeconds; d != nil {
		role.Duration = *d
	}
	return l.assume(ctx, role, source)
}

// named is what the profile's credential_source names.
func (l link) named(ctx context.Context) (aws.Credentials, error) {
	switch l.profile.CredentialSource {
	case "Environment":
		return l.env.Credentials, usable(ctx, l.env.Credentials, l.name()+": the environment")
	case "Ec2InstanceMetadata":
		return l.instance(ctx)
	case "EcsContainer":
		return l.container(ctx)
	}
	return aws.Credentials{}, none(l.name() + ": credential_source is Environment, Ec2InstanceMetadata or EcsContainer")
}

// located refuses a link that does not know where STS is.
func (l link) located() error {
	if l.region == "" {
		return none(l.name() + ": no region to ask STS in: set region in the profile or on the route")
	}
	return nil
}

// assume asks STS for a role.
func (l link) assume(ctx context.Context, role Role, with aws.Credentials) (aws.Credentials, error) {
	if err := l.located(); err != nil {
		return aws.Credentials{}, err
	}
	cfg, err := l.config(ctx, l.region, fixed(with))
	if err != nil {
		return aws.Credentials{}, err
	}
	creds, err := l.ask(ctx, "STS", stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role.ARN, func(o *stscreds.AssumeRoleOptions) {
		o.Duration = roleDuration
		if role.Duration != 0 {
			o.Duration = role.Duration
		}
		o.RoleSessionName = firstOf(role.SessionName, l.options.SessionName)
		if role.ExternalID != "" {
			o.ExternalID = &role.ExternalID
		}
		for _, key := range slices.Sorted(maps.Keys(role.Tags)) {
			o.Tags = append(o.Tags, types.Tag{Key: aws.String(key), Value: aws.String(role.Tags[key])})
		}
	}))
	if err != nil {
		return aws.Credentials{}, l.refused("STS", "refused to assume "+role.ARN, err)
	}
	return creds, usable(ctx, creds, l.name())
}

// webIdentity asks STS for a role with a token from a file, which is read anew: others rotate it.
func (l link) webIdentity(ctx context.Context, path, arn, session string) (aws.Credentials, error) {
	switch err := l.located(); {
	case err != nil:
		return aws.Credentials{}, err
	case arn == "":
		return aws.Credentials{}, none(l.name() + " has a web identity token file but no role_arn (AWS_ROLE_ARN)")
	}
	f, err := l.token(ctx, path)
	if err != nil {
		return aws.Credentials{}, &Error{Reason: "no_credentials", Err: err, Message: l.name() + ": the web identity token file cannot be read"}
	}
	cfg, err := l.config(ctx, l.region, aws.AnonymousCredentials{})
	if err != nil {
		return aws.Credentials{}, err
	}
	creds, err := l.ask(ctx, "STS", stscreds.NewWebIdentityRoleProvider(sts.NewFromConfig(cfg), arn, held(f.text), func(o *stscreds.WebIdentityRoleOptions) {
		o.RoleSessionName = firstOf(session, l.options.SessionName)
	}))
	if err != nil {
		return aws.Credentials{}, l.refused("STS", "refused to assume "+arn, err)
	}
	return creds, usable(ctx, creds, l.name())
}

// A held is a web identity token that was read.
type held []byte

// GetIdentityToken is the token.
func (h held) GetIdentityToken() ([]byte, error) { return h, nil }

// fixed is credentials as a provider.
func fixed(creds aws.Credentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return creds, nil })
}
