package gateway

import (
	"sync/atomic"

	"signet/config"
	"signet/gateway/bulkhead"
	"signet/gateway/credentials"
)

// A part is machinery that successive versions of a route may share. It is closed when the last of them
// lets go.
type part struct {
	users atomic.Int32
	close func()
}

// hold notes one more user. It is called under the reload lock, before any earlier user can let go.
func (p *part) hold() { p.users.Add(1) }

// drop notes one user fewer.
func (p *part) drop() {
	if p.users.Add(-1) == 0 {
		p.close()
	}
}

// places are what the calls of a route take before anything else is done for them. Versions of a route whose
// upstream is the same host share them, and so keep to the limits together. There is nothing to close.
type places struct {
	*bulkhead.Bulkhead
	scheme, host string // whose failures the circuit counts
}

// An identity is the credentials that versions of one route sign with.
type identity struct {
	part
	signs   signs
	profile *credentials.Profile
	cache   *credentials.Cache
	clock   clock // AWS's, which a reload does not change
}

// signs is what of a route's config decides whom it signs as. Two identities of which it is equal are the same.
type signs struct {
	profile, region  string
	assume           config.AssumeRole
	instanceMetadata bool
}
