package credentials

import (
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	// window is the most by which newer credentials are sought ahead of the end, before the jitter.
	window = 5 * time.Minute

	// margin is the most that is left of a life when credentials are no longer used.
	margin = 15 * time.Second
)

// A Generation is one consistent set of credentials with a signer that has seen no other. It never changes.
type Generation struct {
	// Credentials, Region and ProfileRegion are what the source returned.
	Credentials           aws.Credentials
	Region, ProfileRegion string

	// Signer is this generation's own: v4.Signer caches derived keys by key id and day, never by secret.
	Signer *v4.Signer

	// Seq counts the generations of one Cache from 1.
	Seq uint64

	// Obtained is when they were fetched, by our clock; RefreshAt from when on newer ones are sought, and Hard
	// until when they are used, by AWS's. The last two are zero for credentials that cannot expire.
	Obtained, RefreshAt, Hard time.Time

	via, role string // Fetched.Via and Fetched.Role
}

// newGeneration makes what was fetched at now usable. AWS's clock is ahead of ours by skew, and their end is told
// by it. Its times have no monotonic part: that clock stops while a laptop sleeps, and AWS's does not.
func newGeneration(f Fetched, seq uint64, now time.Time, skew time.Duration) *Generation {
	g := &Generation{
		Credentials: f.Credentials, Region: f.Region, ProfileRegion: f.ProfileRegion, Signer: v4.NewSigner(), Seq: seq, Obtained: now.Round(0),
		via: f.Via, role: f.Role,
	}
	now = g.Obtained.Add(skew)
	if !f.Credentials.CanExpire {
		return g
	}
	end := f.Credentials.Expires.Round(0)
	life := end.Sub(now)
	if life <= 0 {
		// They ended on their way, on a machine that is busy. AWS is the judge of that, for a second.
		g.RefreshAt, g.Hard = now.Add(time.Second), now.Add(time.Second)
		return g
	}
	ahead := min(window, life/4)
	g.RefreshAt = end.Add(-ahead - rand.N(ahead/2+1))
	g.Hard = end.Add(-min(margin, life/8))
	return g
}

// valid reports whether g may be signed with. g may be nil.
func (g *Generation) valid(now time.Time) bool {
	return g != nil && (g.Hard.IsZero() || now.Before(g.Hard))
}

// neverWas reports whether g was fetched within the last second, by our clock, and had ended by then as the
// caller's goes, which is now: by a clock that is so far from that of the source nothing ever lives, and only AWS
// can tell. g may be nil.
func (g *Generation) neverWas(now, ours time.Time) bool {
	return g != nil && g.Age(ours) < time.Second && !g.valid(g.Obtained.Add(now.Sub(ours)))
}

// fresh reports whether no newer credentials are sought yet.
func (g *Generation) fresh(now time.Time) bool {
	return g.RefreshAt.IsZero() || now.Before(g.RefreshAt)
}

// Via says how g was come by, for people: "keys", "role chain arn:...". Empty: it is not known.
func (g *Generation) Via() string { return g.via }

// Role is the ARN of the role that g is of. Empty: it is of none, or it is not known.
func (g *Generation) Role() string { return g.role }

// Account is the AWS account that g is of. Empty: it is not known.
func (g *Generation) Account() string { return firstOf(g.Credentials.AccountID, account(g.role)) }

// Age is for how long g has been there at now, by our own clock.
func (g *Generation) Age(now time.Time) time.Duration { return now.Sub(g.Obtained) }

// Same reports whether g and other are the same key, fetched twice or not.
func (g *Generation) Same(other *Generation) bool { return same(g.Credentials, other.Credentials) }

// same reports whether two sets are the same key.
func same(a, b aws.Credentials) bool {
	return a.AccessKeyID == b.AccessKeyID && a.SecretAccessKey == b.SecretAccessKey && a.SessionToken == b.SessionToken
}
