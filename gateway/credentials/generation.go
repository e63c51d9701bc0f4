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
	// Credentials and Region are what the source returned.
	Credentials aws.Credentials
	Region      string

	// Signer is this generation's own: v4.Signer caches derived keys by key id and day, never by secret.
	Signer *v4.Signer

	// Seq counts the generations of one Cache from 1.
	Seq uint64

	// Obtained is when they were fetched, RefreshAt from when on newer ones are sought, and Hard until when
	// they are used. The last two are zero for credentials that cannot expire.
	Obtained, RefreshAt, Hard time.Time

	via, role string // Fetched.Via and Fetched.Role
}

// newGeneration makes what was fetched at now usable. Its times have no monotonic part: that clock stops
// while a laptop sleeps, and AWS's does not.
func newGeneration(f Fetched, seq uint64, now time.Time) *Generation {
	now = now.Round(0)
	g := &Generation{
		Credentials: f.Credentials, Region: f.Region, Signer: v4.NewSigner(), Seq: seq, Obtained: now,
		via: f.Via, role: f.Role,
	}
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

// fresh reports whether no newer credentials are sought yet.
func (g *Generation) fresh(now time.Time) bool {
	return g.RefreshAt.IsZero() || now.Before(g.RefreshAt)
}

// same reports whether two sets are the same key.
func same(a, b aws.Credentials) bool {
	return a.AccessKeyID == b.AccessKeyID && a.SecretAccessKey == b.SecretAccessKey && a.SessionToken == b.SessionToken
}
