package credentials

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// late is how long ago credentials may have ended when they arrive. Whether they have is for AWS to say; past
// this it is the clock that is wrong.
const late = time.Minute

// usable refuses a set that ctx's fetch brought and that is not whole, as a file half written has it, or that
// has ended by AWS's clock.
func usable(ctx context.Context, creds aws.Credentials, where string) error {
	switch {
	case !creds.HasKeys():
		return none(where + ": there is no key")
	case strings.HasPrefix(creds.AccessKeyID, "ASIA") && creds.SessionToken == "":
		return none(where + ": the key is temporary but has no session token")
	case creds.CanExpire && stageOf(ctx).clock().Sub(creds.Expires) > late:
		return none(where + ": the credentials have expired already; is this machine's clock right?")
	}
	return nil
}
