package credentials

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A Source is where credentials come from. One that is a fmt.Stringer says so in State.
type Source interface {
	// Fetch fetches them once. It must return when ctx ends; a Cache does not wait for one that does not.
	Fetch(ctx context.Context) (Fetched, error)
}

// Fetched is what a source returned.
type Fetched struct {
	// Credentials are a consistent set. Those that cannot expire are held until they are refused.
	Credentials aws.Credentials

	// Region is the profile's, else that of the environment. Empty: neither has one.
	Region string

	// ProfileRegion is the profile's own. Empty: it has none, or there is no profile.
	ProfileRegion string

	// Via says how they were come by, for people: "keys", "role chain arn:...". Empty: it is not known.
	Via string

	// Role is the ARN of the role they are of. Empty: they are of none, or it is not known.
	Role string
}
