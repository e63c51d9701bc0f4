package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An Identity is somebody who can be signed as.
type Identity struct {
	// Name is what tests call it, Account its twelve digits, and RoleARN the role that is assumed to be it.
	Name, Account, RoleARN string
}

// ARN is what the ARNs of all the identity's sessions begin with. The session's name follows.
func (i *Identity) ARN() string {
	return fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/", i.Account, i.Name)
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
	arn     string    // who AWS says it is
	until   time.Time // honoured until; zero: always
	revoked bool
}

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

// known is the named identity, or nil.
func (s *Sandbox) known(name string) *Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identities[name]
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

// Issue makes a temporary set that says it lives that long. It replaces the identity's former one, which is
// honoured until it expires, and for Options.Overlap from now if that is later.
func (s *Sandbox) Issue(identity string, life time.Duration) Credentials {
	return s.issue(s.Identity(identity), "session", life)
}

func (s *Sandbox) issue(id *Identity, session string, life time.Duration) Credentials {
	now := s.now()
	set := s.newIssued(id, session, now.Add(life))
	set.until = later(set.Expires, now.Add(s.overlap))
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.newest[id.Name]; old != nil && now.Before(old.until) {
		old.until = later(old.until, now.Add(s.overlap))
	}
	s.newest[id.Name] = set
	s.keep(set)
	return set.Credentials
}

// issueEnded makes a temporary set that ended a minute ago. It replaces none.
func (s *Sandbox) issueEnded(id *Identity, session string) Credentials {
	set := s.newIssued(id, session, s.now().Add(-time.Minute))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(set)
	return set.Credentials
}

// newIssued is a temporary set that is honoured as long as it says.
func (s *Sandbox) newIssued(id *Identity, session string, end time.Time) *issued {
	return &issued{arn: id.ARN() + session, until: end, Credentials: Credentials{
		AccessKeyID: "ASIA" + letters(16), SecretAccessKey: s.secret(), SessionToken: s.secret() + s.secret(),
		Expires: end, Identity: id.Name,
	}}
}

// keep notes a temporary set. s.mu is held.
func (s *Sandbox) keep(set *issued) {
	s.keys[set.AccessKeyID] = set
	s.tokens[set.SessionToken] = set.AccessKeyID
}

// IssueStatic makes a long-lived set. It replaces none.
func (s *Sandbox) IssueStatic(identity string) Credentials {
	id := s.Identity(identity)
	set := &issued{
		arn:         fmt.Sprintf("arn:aws:iam::%s:user/%s", id.Account, id.Name),
		Credentials: Credentials{AccessKeyID: "AKIA" + letters(16), SecretAccessKey: s.secret(), Identity: id.Name},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[set.AccessKeyID] = set
	return set.Credentials
}

// Revoke makes a key unusable from now on, whatever Options.Overlap says.
func (s *Sandbox) Revoke(accessKeyID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if set := s.keys[accessKeyID]; set != nil {
		set.revoked = true
	}
}

// Expire ends a key now: it is refused as one whose time is over, whatever it says and Options.Overlap.
func (s *Sandbox) Expire(accessKeyID string) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if set := s.keys[accessKeyID]; set != nil {
		set.until = now
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

// knowsToken reports whether a session token belongs to any set.
func (s *Sandbox) knowsToken(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens[token] != ""
}

// anySecret reports whether matches is true of the secret of any set.
func (s *Sandbox) anySecret(matches func(secret string) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, set := range s.keys {
		if matches(set.SecretAccessKey) {
			return true
		}
	}
	return false
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func letters(n int) string {
	return strings.ToUpper(hex.EncodeToString(random(n)))[:n]
}

// SecretMark is in every secret of every sandbox, so that one that gets where it does not belong can be found.
const SecretMark = "SandboxSecret"

// secret makes something that only its holder may know.
func (s *Sandbox) secret() string {
	made := SecretMark + base64.RawStdEncoding.EncodeToString(random(20))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets = append(s.secrets, made)
	return made
}

// Secrets are all that was ever made: secret keys, and what session, refresh, access and other tokens are made
// of. None of them may be found anywhere else.
func (s *Sandbox) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.secrets)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return b
}
