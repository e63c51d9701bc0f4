// Package sandbox is an AWS that runs on loopback and refuses as AWS does: STS and the other servers that hand
// out credentials, and MCP servers that sign nothing off but what they verified from the bytes on the wire.
//
// An AWS SDK reaches STS through AWS_ENDPOINT_URL_STS, an SSO through AWS_ENDPOINT_URL_SSO and _SSO_OIDC, a
// Signin through AWS_ENDPOINT_URL_SIGNIN, an IMDS through AWS_EC2_METADATA_SERVICE_ENDPOINT, and a Container
// through AWS_CONTAINER_CREDENTIALS_FULL_URI.
//
// It shares no code with the signer it checks, knows every key it ever handed out, and keeps a ledger of
// who called what with which key. Tests and the demo use it; nothing else may.
package sandbox

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Options shape a Sandbox. The zero value works.
type Options struct {
	// Now is the sandbox's clock. Nil: time.Now.
	Now func() time.Time

	// Overlap is how long a temporary set is honoured after it was issued, and again after a newer one of its
	// identity replaced it, even when it says that it lives for less: calls that were signed with it are then
	// still served. Zero: 60 s. Negative: no set is honoured past its expiry.
	Overlap time.Duration
}

// A Sandbox is one pretend AWS. Make it with New.
type Sandbox struct {
	now     func() time.Time
	overlap time.Duration
	ledger  *Ledger
	webKey  []byte // what web identities' tokens are signed with

	requests atomic.Int64 // answered so far, over all servers

	mu         sync.Mutex
	identities map[string]*Identity // by name; under mu
	keys       map[string]*issued   // by access key id; under mu
	tokens     map[string]string    // access key id by session token; under mu
	newest     map[string]*issued   // temporary set by identity; under mu
	external   map[string]string    // what external id an identity's role needs; under mu
	servers    []*Server            // under mu
	secrets    []string             // under mu
}

// New makes a Sandbox with no server.
func New(o Options) *Sandbox {
	s := &Sandbox{
		now: o.Now, overlap: o.Overlap, ledger: newLedger(),
		identities: map[string]*Identity{}, keys: map[string]*issued{}, tokens: map[string]string{},
		newest: map[string]*issued{}, external: map[string]string{}, webKey: random(32),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.overlap == 0 {
		s.overlap = time.Minute
	}
	return s
}

// Close ends all servers.
func (s *Sandbox) Close() {
	s.mu.Lock()
	servers := s.servers
	s.mu.Unlock()
	for _, server := range servers {
		server.Close()
	}
}

// Ledger is what the servers saw.
func (s *Sandbox) Ledger() *Ledger { return s.ledger }

// requestID is the id of the next answer, in the form of AWS's.
func (s *Sandbox) requestID() string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012x", s.requests.Add(1))
}
