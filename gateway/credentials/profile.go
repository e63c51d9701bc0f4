package credentials

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// ProfileOptions say whose credentials a Profile fetches. Two that are equal fetch the same.
type ProfileOptions struct {
	// Profile is the profile's name. Empty: keys of the environment, else AWS_PROFILE, else "default".
	Profile string

	// Region is where STS is asked when the profile has no region.
	Region string

	// SessionName is the role session name where the profile has none.
	SessionName string

	// HTTPClient sends what is asked of AWS. Nil: the SDK's own.
	HTTPClient aws.HTTPClient
}

// A Profile is a Source: a profile of the AWS config and credentials files. It is built from the parsed
// profile, never by the SDK's default chain, which nests caches, gives credential_process our standard
// input, and lets a half-written profile fall through to the instance's role.
type Profile struct{ options ProfileOptions }

var _ Source = (*Profile)(nil)

// NewProfile makes a Profile. It reads nothing until Fetch.
func NewProfile(o ProfileOptions) *Profile { return &Profile{options: o} }

// String says where the credentials come from.
func (p *Profile) String() string {
	if p.options.Profile == "" {
		return "environment or default profile"
	}
	return fmt.Sprintf("profile %q", p.options.Profile)
}

// Fetch reads the files anew, so that a rotated key is seen, and asks what the profile names.
func (p *Profile) Fetch(ctx context.Context) (Fetched, error) {
	env, err := config.NewEnvConfig()
	if err != nil {
		return Fetched{}, &Error{Reason: "no_credentials", Message: "an AWS_* variable has a bad value", Err: err}
	}
	if p.options.Profile == "" && env.Credentials.HasKeys() {
		if err := usable(env.Credentials, "the environment"); err != nil {
			return Fetched{}, err
		}
		return Fetched{Credentials: env.Credentials, Region: env.Region}, nil
	}
	name := firstOf(p.options.Profile, env.SharedConfigProfile, "default")
	shared, err := load(ctx, name)
	if err != nil {
		return Fetched{}, p.unknown(name, err)
	}
	l := link{profile: &shared, env: env, options: p.options, region: firstOf(shared.Region, p.options.Region, env.Region)}
	creds, err := l.fetch(ctx)
	if err != nil {
		return Fetched{}, err
	}
	return Fetched{Credentials: creds, Region: firstOf(shared.Region, env.Region)}, nil
}

// unknown is the error for a profile that could not be loaded.
func (p *Profile) unknown(name string, err error) error {
	var missing config.SharedConfigProfileNotExistError
	if !errors.As(err, &missing) {
		return &Error{Reason: "no_profile", Message: fmt.Sprintf("profile %q: the AWS config files do not parse, or its source profile is missing", name), Err: err}
	}
	if p.options.Profile == "" {
		return &Error{
			Reason: "no_credentials", Err: err, Action: "aws configure",
			Message: "no AWS credentials (looked in the environment, ~/.aws/config, ~/.aws/credentials)",
		}
	}
	return &Error{
		Reason: "no_profile", Err: err, Action: "aws configure --profile " + name,
		Message: fmt.Sprintf("no such profile %q in ~/.aws/config or ~/.aws/credentials", name),
	}
}

// load parses one profile of the files that the environment names now: the SDK's own defaults are fixed
// when the program starts.
func load(ctx context.Context, name string) (config.SharedConfig, error) {
	return config.LoadSharedConfigProfile(ctx, name, func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles = []string{fileOf("AWS_CONFIG_FILE", "config")}
		o.CredentialsFiles = []string{fileOf("AWS_SHARED_CREDENTIALS_FILE", "credentials")}
	})
}

func fileOf(variable, name string) string {
	if path := os.Getenv(variable); path != "" {
		return path
	}
	home, _ := os.UserHomeDir() // without one the path does not exist, and so has no profile
	return filepath.Join(home, ".aws", name)
}

// usable refuses a set that is not whole, as a file half written has it.
func usable(creds aws.Credentials, where string) error {
	if strings.HasPrefix(creds.AccessKeyID, "ASIA") && creds.SessionToken == "" {
		return &Error{Reason: "no_credentials", Message: where + ": the key is temporary but has no session token"}
	}
	return nil
}

func firstOf(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
