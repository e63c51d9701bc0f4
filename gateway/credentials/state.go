package credentials

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// A State is what a Cache holds, for people. It has no secret.
type State struct {
	// Source says where the credentials come from.
	Source string `json:"source"`

	// Via is how the held ones were come by: "keys", "role chain arn:...". Empty: it is not known.
	Via string `json:"via,omitempty"`

	// KeyID is the access key's id with its middle left out. Empty: there are no credentials.
	KeyID string `json:"key_id,omitempty"`

	// Account is the AWS account, and Role the ARN of the role, where known.
	Account string `json:"account,omitempty"`
	Role    string `json:"role,omitempty"`

	// Generation counts the sets fetched.
	Generation uint64 `json:"generation"`

	// Obtained is when the held set was fetched, Age how long ago that is, in seconds, and Expires when it ends.
	// Zero: it does not.
	Obtained time.Time `json:"obtained,omitzero"`
	Age      float64   `json:"age_seconds,omitempty"`
	Expires  time.Time `json:"expires,omitzero"`

	// LastRefresh is how the last fetch ended. Nil: there was none.
	LastRefresh *LastRefresh `json:"last_refresh,omitempty"`

	// Problem is why the last fetch failed, as long as the files it went by are as they were. Nil: it did not.
	Problem *Problem `json:"problem,omitempty"`

	// Edited is when the files were last seen to say something else than at the fetch before. Zero: never.
	Edited time.Time `json:"edited,omitzero"`
}

// A Problem is an Error as a State has it, for people.
type Problem struct {
	// Reason, Message, Action and Absent are the Error's.
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Action  string `json:"action,omitempty"`
	Absent  bool   `json:"absent,omitempty"`

	// RetryAt is before when the source is not asked again.
	RetryAt time.Time `json:"retry_at"`
}

// Lasts reports whether p stays until a person does something, which is then seen in a file: whatever time passes,
// a fetch would fail again.
func (p *Problem) Lasts() bool {
	return p.Action != "" || p.Reason == "mfa" || p.Reason == "no_profile"
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
	last, backoff := c.last, c.backoff
	s := State{Source: c.Source(), Edited: c.news}
	c.mu.Unlock()
	if e := backoff.last; e != nil {
		s.Problem = &Problem{Reason: e.Reason, Message: e.Message, Action: e.Action, Absent: e.Absent, RetryAt: backoff.until}
	}
	if !last.At.IsZero() {
		s.LastRefresh = &last
	}
	g := c.held.Load()
	if g == nil {
		return s
	}
	s.Via, s.Role = g.via, g.role
	s.KeyID, s.Account = MaskKeyID(g.Credentials.AccessKeyID), g.Account()
	s.Generation, s.Obtained, s.Age = g.Seq, g.Obtained, g.Age(time.Now().Round(0)).Seconds()
	if g.Credentials.CanExpire {
		s.Expires = g.Credentials.Expires
	}
	return s
}

// Source is what the source of the credentials calls itself. Empty: it does not.
func (c *Cache) Source() string {
	if named, ok := c.source.(fmt.Stringer); ok {
		return named.String()
	}
	return ""
}

// account is the one that a role's ARN names, if it is one.
func account(role string) string {
	parsed, err := arn.Parse(role)
	if err != nil {
		return ""
	}
	return parsed.AccountID
}

// MaskKeyID is an access key's id with its middle left out: enough to tell two apart.
func MaskKeyID(id string) string {
	if len(id) < 12 {
		return strings.Repeat("*", len(id))
	}
	return id[:4] + "…" + id[len(id)-4:]
}
