package credentials

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// ProfileOptions say whose credentials a Profile fetches.
type ProfileOptions struct {
	// Profile is the profile's name. Empty: the environment's keys or web identity, else AWS_PROFILE, else
	// "default", else a container's credentials.
	Profile string

	// Region is where STS is asked when the profile has no region.
	Region string

	// SessionName is the role session name where the profile has none. Empty: "signet".
	SessionName string

	// Assume is the role to assume with what the profile gives. The zero value: none.
	Assume Role

	// InstanceMetadata allows the instance's role where nothing else is named. A profile whose
	// credential_source is Ec2InstanceMetadata needs no leave.
	InstanceMetadata bool

	// Home is what this source shares with those of other routes. Nil: nothing.
	Home *Home

	// HTTPClient sends what is asked of AWS. Nil: the SDK's own, with a new connection for each request.
	HTTPClient aws.HTTPClient
}

// A Role is one to assume.
type Role struct {
	// ARN is the role's. Empty: there is none to assume.
	ARN string

	// ExternalID is the condition that the role's owner set. Empty: none.
	ExternalID string

	// SessionName is the role session name. Empty: ProfileOptions.SessionName.
	SessionName string

	// Duration is how long its credentials are asked for. Zero: an hour.
	Duration time.Duration

	// Tags are the session's.
	Tags map[string]string
}

// A Profile is a Source: a profile of the AWS config and credentials files, or what the environment says. It
// is built from the parsed profile, never by the SDK's default chain, which nests caches, gives
// credential_process our standard input, and lets a half-written profile fall through to the instance's role.
type Profile struct {
	// fixed at build
	options ProfileOptions

	// guarded
	mu   sync.Mutex
	last *reading // of the last fetch, perhaps one under way; nil: there was none; under mu
}

var _ Source = (*Profile)(nil)

// NewProfile makes a Profile. It reads nothing until Fetch.
func NewProfile(o ProfileOptions) *Profile {
	if o.Home == nil {
		o.Home = NewHome()
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

// Fetch asks what the profile names, as the files say now. Its error is an *Error, or that of ctx.
func (p *Profile) Fetch(ctx context.Context) (Fetched, error) {
	l, err := p.settledLink(ctx)
	if err != nil {
		return Fetched{}, err
	}
	creds, err := l.fetch(ctx)
	if err != nil {
		return Fetched{}, err
	}
	f := Fetched{
		Credentials: creds, Region: firstOf(l.profile.Region, l.env.Region), ProfileRegion: l.profile.Region,
		Via: l.via(), Role: l.roleARN(),
	}
	role := p.options.Assume
	if role.ARN == "" {
		return f, nil
	}
	if role.Duration > roleDuration && f.Role != "" {
		return Fetched{}, none(fmt.Sprintf("%s is a role already, and AWS gives a role that is assumed with a role at most an hour: set assume_role.duration to 1h", l.name()))
	}
	f.Credentials, err = l.assume(ctx, role, creds)
	f.Via, f.Role = f.Via+", then role "+role.ARN, role.ARN
	return f, err
}

// Files are the files that the last fetch read, besides Home.Files, in no order.
func (p *Profile) Files() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		return nil
	}
	return p.last.paths()
}

// Changed reports whether the files say something else than at the last fetch. Before the first they do not. A
// token that another route refreshed is news only to one that holds nothing.
func (p *Profile) Changed(holding bool) bool {
	p.mu.Lock()
	last := p.last
	p.mu.Unlock()
	if last == nil {
		return false
	}
	l, _ := p.link() // why it cannot be used is part of the reading
	return last.differs(l.read, p.options.Home, holding)
}

func (p *Profile) note(r *reading) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = r
}

// settledLink is link once AWS's files are not being written. What it read is noted, for Changed.
func (p *Profile) settledLink(ctx context.Context) (link, error) {
	for {
		contents, err := p.options.Home.files.settled(ctx)
		if err != nil {
			return link{}, err
		}
		l, err := p.link()
		if l.fromFiles && l.contents != contents && ctx.Err() == nil {
			continue // saved since
		}
		p.note(l.read)
		return l, err
	}
}

// link is the beginning of the chain, as the files and the environment say now. It has a reading even when it
// cannot be used.
func (p *Profile) link() (link, error) {
	env, err := config.NewEnvConfig()
	if err != nil {
		return link{read: newReading(config.SharedConfig{}, err)}, &Error{Reason: "no_credentials", Message: "an AWS_* variable has a bad value", Err: err}
	}
	l := link{profile: &config.SharedConfig{}, bare: true, env: env, options: p.options, region: firstOf(p.options.Region, env.Region)}
	if p.options.Profile == "" && (env.Credentials.HasKeys() || env.WebIdentityTokenFilePath != "") {
		l.read = newReading(*l.profile, nil)
		return l, nil
	}
	name := firstOf(p.options.Profile, env.SharedConfigProfile, "default")
	loaded, contents := p.options.Home.load(name)
	shared, err := loaded.shared, loaded.err
	l.read, l.fromFiles, l.contents = newReading(shared, err), true, contents
	var missing config.SharedConfigProfileNotExistError
	switch {
	case err == nil:
		l.profile, l.bare, l.region = &loaded.shared, false, firstOf(shared.Region, l.region)
	case errors.As(err, &missing) && missing.Profile == "default" && p.options.Profile == "" && env.SharedConfigProfile == "":
		// It is not the default profile that is missing, but credentials of any kind: a container's may do.
	default:
		return l, p.options.Home.files.unloaded(name, err)
	}
	return l, nil
}

// WorkingRegion is the region that AWS's own tools would work in: AWS_DEFAULT_REGION, else that of the profile, else
// AWS_REGION. Empty: nobody says.
func WorkingRegion(profile string) string {
	return firstOf(os.Getenv("AWS_DEFAULT_REGION"), profile, os.Getenv("AWS_REGION"))
}

func firstOf(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
