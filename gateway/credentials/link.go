package credentials

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// A link is one profile of a chain: it has credentials, or asks for them with those of the next link.
type link struct {
	profile *config.SharedConfig
	bare    bool // there is no profile: the environment alone is asked
	env     config.EnvConfig
	options ProfileOptions
	region  string   // where STS is asked
	read    *reading // what was found in files; one for the chain

	fromFiles bool              // AWS's two files had a say
	contents  [sha256.Size]byte // theirs
}

// via says how the credentials of the link are come by, and of which profile unless the route named it.
func (l link) via() string {
	p, name := l.profile, ""
	if l.options.Profile == "" {
		name = l.name() + ": "
	}
	switch {
	case l.bare && l.env.Credentials.HasKeys():
		return "keys of the environment"
	case l.bare && l.env.WebIdentityTokenFilePath != "":
		return "web identity " + l.env.RoleARN + " of the environment"
	case p.WebIdentityTokenFile != "" && p.Source == nil:
		return name + "web identity " + p.RoleARN
	case p.RoleARN != "":
		roles := p.RoleARN
		for inner := p.Source; inner != nil && inner.RoleARN != ""; inner = inner.Source {
			roles = inner.RoleARN + ", " + roles
		}
		return name + "role chain " + roles
	case p.Credentials.HasKeys():
		return name + "keys"
	case p.SSOSessionName != "":
		return name + "SSO session " + p.SSOSessionName
	case l.ssoLegacy():
		return name + "SSO"
	case p.LoginSession != "":
		return name + "aws login"
	case p.CredentialProcess != "":
		return name + "credential_process"
	case l.containerURI() != "":
		return "container"
	}
	return "instance metadata"
}

// roleARN is the role that the credentials of the link are of, where that is known before they are.
func (l link) roleARN() string {
	if l.bare && !l.env.Credentials.HasKeys() {
		return l.env.RoleARN
	}
	return l.profile.RoleARN
}

// fetch is the credentials of the link, from where the SDK would take them: its source's, with which its role is
// assumed where it has one.
func (l link) fetch(ctx context.Context) (aws.Credentials, error) {
	p := l.profile
	switch {
	case l.bare && l.env.Credentials.HasKeys():
		return l.env.Credentials, usable(ctx, l.env.Credentials, "the environment")
	case l.bare && l.env.WebIdentityTokenFilePath != "":
		return l.webIdentity(ctx, l.env.WebIdentityTokenFilePath, l.env.RoleARN, l.env.RoleSessionName)
	case p.RoleARN != "" && !l.ownWebIdentity():
		return l.assumeOwn(ctx)
	}
	return l.source(ctx)
}

// ownWebIdentity reports whether a token file stands for the profile's role: nothing is assumed with it twice.
func (l link) ownWebIdentity() bool {
	p := l.profile
	return p.WebIdentityTokenFile != "" && p.Source == nil && !p.Credentials.HasKeys() && p.CredentialSource == ""
}

// source is the credentials that the profile names, in the SDK's order.
func (l link) source(ctx context.Context) (aws.Credentials, error) {
	p := l.profile
	switch {
	case p.Source != nil:
		return l.next().fetch(ctx)
	case p.Credentials.HasKeys():
		return p.Credentials, usable(ctx, p.Credentials, l.name())
	case p.CredentialSource != "":
		return l.named(ctx)
	case p.WebIdentityTokenFile != "":
		return l.webIdentity(ctx, p.WebIdentityTokenFile, p.RoleARN, p.RoleSessionName)
	case p.SSOSessionName != "", l.ssoLegacy():
		return l.sso(ctx)
	case p.LoginSession != "":
		return l.login(ctx)
	case p.CredentialProcess != "":
		return l.process(ctx)
	}
	return l.machine(ctx)
}

// machine is what is left where no source is named: what the machine has. A profile that was named on the
// route falls through to it only when the route says so.
func (l link) machine(ctx context.Context) (aws.Credentials, error) {
	switch {
	case l.options.Profile == "" && l.containerURI() != "":
		return l.container(ctx)
	case l.options.InstanceMetadata:
		return l.instance(ctx)
	case l.profile.RoleARN != "":
		return aws.Credentials{}, none(l.name() + " has role_arn but no source_profile or other source of credentials")
	case l.bare:
		return aws.Credentials{}, &Error{
			Reason: "no_credentials", Absent: true, Action: "aws configure",
			Message: "no AWS credentials (looked in the environment, ~/.aws/config, ~/.aws/credentials)",
		}
	}
	return aws.Credentials{}, &Error{
		Reason: "no_credentials", Absent: l.options.Profile == "", Action: "aws configure --profile " + l.profile.Profile,
		Message: l.name() + ": it names no source of credentials",
	}
}

// name is what messages call the link.
func (l link) name() string {
	if l.bare {
		return "the environment"
	}
	return fmt.Sprintf("profile %q", l.profile.Profile)
}

// next is the link that this one's source_profile is.
func (l link) next() link {
	l.profile = l.profile.Source
	return l
}
