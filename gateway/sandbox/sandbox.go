// Package sandbox is an AWS that runs on loopback and refuses as AWS does: STS, and MCP servers that sign
// nothing off but what they verified from the bytes on the wire.
//
// It shares no code with the signer it checks, knows every key it ever handed out, and keeps a ledger of
// who called what with which key. Tests and the demo use it; nothing else may.
package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Options shape a Sandbox. The zero value works.
type Options struct {
	// Now is the sandbox's clock. Nil: time.Now.
	Now func() time.Time

	// Overlap is how long a temporary key is honoured after it was issued, even when it says that it lives
	// for less: replaced keys then still serve the calls that were signed with them. Zero: 60 s. Negative:
	// not past its expiry.
	Overlap time.Duration
}

// A Sandbox is one pretend AWS. Make it with New.
type Sandbox struct {
	now     func() time.Time
	overlap time.Duration
	ledger  *Ledger

	mu         sync.Mutex
	identities map[string]*Identity // by name; under mu
	keys       map[string]*issued   // by access key id; under mu
	tokens     map[string]string    // access key id by session token; under mu
	servers    []*Server            // under mu
}

// An Identity is somebody who can be signed as.
type Identity struct {
	// Name is what tests call it, Account its twelve digits, and RoleARN the role that is assumed to be it.
	Name, Account, RoleARN string
}

// ARN is what AWS calls a session of the identity.
func (i *Identity) ARN() string {
	return fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/session", i.Account, i.Name)
}

// Credentials are one set that an identity can sign with.
type Credentials struct {
	// AccessKeyID, SecretAccessKey and SessionToken belong together. The token of a long-lived key is empty.
	AccessKeyID, SecretAccessKey, SessionToken string

	// Expires is when they say that they end. Zero: they do not.
	Expires time.Time

	// Identity is the name of whose they are.
	Identity string
}

// issued is a set with what only AWS knows of it.
type issued struct {
	Credentials
	until   time.Time // honoured until; zero: always
	revoked bool
}

// New makes a Sandbox with no server.
func New(o Options) *Sandbox {
	s := &Sandbox{
		now: o.Now, overlap: o.Overlap, ledger: newLedger(),
		identities: map[string]*Identity{}, keys: map[string]*issued{}, tokens: map[string]string{},
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

// Identity is the named identity, made at its first use.
func (s *Sandbox) Identity(name string) *Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.identities[name]
	if id == nil {
		account := fmt.Sprintf("%012d", 111122223333+len(s.identities))
		id = &Identity{Name: name, Account: account, RoleARN: fmt.Sprintf("arn:aws:iam::%s:role/%s", account, name)}
		s.identities[name] = id
	}
	return id
}

// role is the identity that a role's ARN stands for, or nil.
func (s *Sandbox) role(arn string) *Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.identities {
		if id.RoleARN == arn {
			return id
		}
	}
	return nil
}

// Issue makes a temporary set that says it lives that long.
func (s *Sandbox) Issue(identity string, life time.Duration) Credentials {
	now := s.now()
	c := Credentials{
		AccessKeyID: "ASIA" + letters(16), SecretAccessKey: secret(), SessionToken: secret() + secret(),
		Expires: now.Add(life), Identity: s.Identity(identity).Name,
	}
	until := c.Expires
	if overlap := now.Add(s.overlap); overlap.After(until) {
		until = overlap
	}
	s.register(&issued{Credentials: c, until: until})
	return c
}

// IssueStatic makes a long-lived set.
func (s *Sandbox) IssueStatic(identity string) Credentials {
	c := Credentials{AccessKeyID: "AKIA" + letters(16), SecretAccessKey: secret(), Identity: s.Identity(identity).Name}
	s.register(&issued{Credentials: c})
	return c
}

func (s *Sandbox) register(set *issued) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[set.AccessKeyID] = set
	if set.SessionToken != "" {
		s.tokens[set.SessionToken] = set.AccessKeyID
	}
}

// Revoke makes a key unusable from now on.
func (s *Sandbox) Revoke(accessKeyID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if set := s.keys[accessKeyID]; set != nil {
		set.revoked = true
	}
}

// key is the set with that id, as it is now.
func (s *Sandbox) key(accessKeyID string) (issued, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.keys[accessKeyID]
	if set == nil {
		return issued{}, false
	}
	return *set, true
}

// ownerOf is the access key id a session token was issued with, or "".
func (s *Sandbox) ownerOf(token string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens[token]
}

func letters(n int) string {
	return strings.ToUpper(hex.EncodeToString(random(n)))[:n]
}

func secret() string { return base64.RawStdEncoding.EncodeToString(random(30)) }

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return b
}
