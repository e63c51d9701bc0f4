package credentials

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// A link is one profile of a chain: it has credentials, or asks for them with those of the next link.
type link struct {
	profile *config.SharedConfig
	env     config.EnvConfig
	options ProfileOptions
	region  string // where STS is asked
}

// via says how the credentials of the link are come by, and of which profile unless the route named it.
func (l link) via() string {
	p, name := l.profile, ""
	if l.options.Profile == "" {
		name = l.name() + ": "
	}
	switch {
	case p.RoleARN != "":
		roles := p.RoleARN
		for inner := p.Source; inner != nil && inner.RoleARN != ""; inner = inner.Source {
			roles = inner.RoleARN + ", " + roles
		}
		return name + "role chain " + roles
	case p.Credentials.HasKeys():
		return name + "keys"
	}
	return name + "credential_process"
}

// fetch is the credentials of the link. What the SDK would try first is tried first.
func (l link) fetch(ctx context.Context) (aws.Credentials, error) {
	p := l.profile
	switch {
	case p.RoleARN != "" && p.Source != nil:
		return l.assume(ctx)
	case p.CredentialSource != "":
		return l.unsupported("credential_source")
	case p.WebIdentityTokenFile != "":
		return l.unsupported("web identity")
	case p.RoleARN != "":
		return aws.Credentials{}, none(l.name() + " has role_arn but no source_profile")
	case p.Credentials.HasKeys():
		return p.Credentials, usable(p.Credentials, l.name())
	case p.SSOSessionName != "" || p.SSOStartURL != "":
		return l.unsupported("SSO")
	case p.LoginSession != "":
		return l.unsupported(`"aws login"`)
	case p.CredentialProcess != "":
		return l.process(ctx)
	}
	return l.nothing()
}

// nothing is the answer of a profile that names no source. One that was named on the route never falls
// through to what the machine has; without a name the environment's is told.
func (l link) nothing() (aws.Credentials, error) {
	if what := later(l.env); what != "" && l.options.Profile == "" {
		return l.unsupported(what)
	}
	return aws.Credentials{}, &Error{
		Reason: "no_credentials", Action: "aws configure --profile " + l.profile.Profile,
		Message: l.name() + ": it names no source of credentials that is supported",
	}
}

func (l link) name() string { return fmt.Sprintf("profile %q", l.profile.Profile) }

func (l link) unsupported(what string) (aws.Credentials, error) {
	return aws.Credentials{}, none(l.name() + ": " + what + " is not supported yet")
}
