package credentials

import (
	"strings"
	"time"
)

// A State is what a Cache holds, for people. It has no secret.
type State struct {
	// Source says where the credentials come from.
	Source string `json:"source"`

	// KeyID is the access key's id with its middle left out. Empty: there are no credentials.
	KeyID string `json:"key_id,omitempty"`

	// Account is the AWS account, where known.
	Account string `json:"account,omitempty"`

	// Generation counts the sets fetched.
	Generation uint64 `json:"generation"`

	// Obtained is when the held set was fetched, Expires when it ends. Zero: it does not.
	Obtained time.Time `json:"obtained,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`

	// LastRefresh is how the last fetch ended. Nil: there was none.
	LastRefresh *LastRefresh `json:"last_refresh,omitempty"`
}

// A LastRefresh is how a fetch ended.
type LastRefresh struct {
	// At is when, and Took how long it took.
	At   time.Time     `json:"at"`
	Took time.Duration `json:"took_ns"`

	// Error is the class of the failure. Empty: it did not fail.
	Error string `json:"error,omitempty"`
}

// State is what the Cache holds now.
func (c *Cache) State() State {
	c.mu.Lock()
	last := c.last
	c.mu.Unlock()
	s := State{}
	if named, ok := c.source.(interface{ String() string }); ok {
		s.Source = named.String()
	}
	if !last.At.IsZero() {
		s.LastRefresh = &last
	}
	g := c.held.Load()
	if g == nil {
		return s
	}
	s.KeyID, s.Account = MaskKeyID(g.Credentials.AccessKeyID), g.Credentials.AccountID
	s.Generation, s.Obtained = g.Seq, g.Obtained
	if g.Credentials.CanExpire {
		s.Expires = g.Credentials.Expires
	}
	return s
}

// MaskKeyID is an access key's id with its middle left out: enough to tell two apart.
func MaskKeyID(id string) string {
	if len(id) < 12 {
		return strings.Repeat("*", len(id))
	}
	return id[:4] + "…" + id[len(id)-4:]
}
