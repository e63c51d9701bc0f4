package credentials

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
)

// ProfileOptions say whose credentials a Profile fetches. Two that are equal fetch the same.
type ProfileOptions struct {
	// Profile is the profile's name. Empty: keys of the environment, else AWS_PROFILE, else "default".
	Profile string

	// Region is where STS is asked when the profile has no region.
	Region string

	// SessionName is the role session name where the profile has none. Empty: "signet".
	SessionName string

	// HTTPClient sends what is asked of AWS. Nil: the SDK's own, with a new connection for each request.
	HTTPClient aws.HTTPClient
}

// A Profile is a Source: a profile of the AWS config and credentials files. It is built from the parsed
// profile, never by the SDK's default chain, which nests caches, gives credential_process our standard
// input, and lets a half-written profile fall through to the instance's role.
type Profile struct{ options ProfileOptions }

var _ Source = (*Profile)(nil)

// NewProfile makes a Profile. It reads nothing until Fetch.
func NewProfile(o ProfileOptions) *Profile {
	if o.HTTPClient == nil {
		// An hour lies between two requests: a kept connection would be dead, and outlive the route.
		o.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.DisableKeepAlives = true })
	}
	o.SessionName = firstOf(o.SessionName, "signet")
	return &Profile{options: o}
}

// String says where the credentials come from.
func (p *Profile) String() string {
	if p.options.Profile == "" {
		return "environment or default profile"
	}
	return fmt.Sprintf("profile %q", p.options.Profile)
}

// Fetch reads the files anew, so that a rotated key is seen, and asks what the profile names. Its error is an
// *Error.
func (p *Profile) Fetch(ctx context.Context) (Fetched, error) {
	env, err := config.NewEnvConfig()
	if err != nil {
		return Fetched{}, &Error{Reason: "no_credentials", Message: "an AWS_* variable has a bad value", Err: err}
	}
	if p.options.Profile == "" && env.Credentials.HasKeys() {
		if err := usable(env.Credentials, "the environment"); err != nil {
			return Fetched{}, err
		}
		return Fetched{Credentials: env.Credentials, Region: env.Region, Via: "keys of the environment"}, nil
	}
	name := firstOf(p.options.Profile, env.SharedConfigProfile, "default")
	f := files()
	shared, err := f.load(ctx, name)
	if err != nil {
		return Fetched{}, p.unloaded(f, env, name, err)
	}
	l := link{profile: &shared, env: env, options: p.options, region: firstOf(shared.Region, p.options.Region, env.Region)}
	creds, err := l.fetch(ctx)
	if err != nil {
		return Fetched{}, err
	}
	return Fetched{
		Credentials: creds, Region: firstOf(shared.Region, env.Region), Via: l.via(), Role: shared.RoleARN,
	}, nil
}

// unloaded is the error for a profile that could not be loaded. Without a name anywhere it is not the
// default profile that is missing, but credentials of any kind.
func (p *Profile) unloaded(f sharedFiles, env config.EnvConfig, name string, err error) error {
	var missing config.SharedConfigProfileNotExistError
	if p.options.Profile != "" || env.SharedConfigProfile != "" || !errors.As(err, &missing) {
		return f.unloaded(name, err)
	}
	if what := later(env); what != "" {
		return none("the environment: " + what + " is not supported yet")
	}
	return &Error{
		Reason: "no_credentials", Err: err, Action: "aws configure",
		Message: "no AWS credentials (looked in the environment, ~/.aws/config, ~/.aws/credentials)",
	}
}

// later is the source that the environment names and that is not supported yet, if any.
func later(env config.EnvConfig) string {
	switch {
	case env.WebIdentityTokenFilePath != "":
		return "web identity"
	case env.ContainerCredentialsRelativePath != "", env.ContainerCredentialsEndpoint != "":
		return "a container's source of credentials"
	}
	return ""
}

func firstOf(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
