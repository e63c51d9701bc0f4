package sandbox

import (
	"net/http"
	"testing"
	"time"
)

// honoured is the kind of refusal a set meets after so long, or "".
func honoured(t *testing.T, v *verifier, c Credentials) string {
	t.Helper()
	if _, no := judge(v, signed(t, c, "POST", "/", "", http.Header{}, "svc", "eu-west-1")); no != nil {
		return no.kind
	}
	return ""
}

// newClock is a verifier whose clock stands at noon and can be set back, when nothing was signed yet.
func newClock(o Options) (v *verifier, ago func(time.Duration)) {
	at := noon()
	o.Now = func() time.Time { return at }
	return &verifier{sandbox: New(o), service: "svc", region: "eu-west-1"}, func(d time.Duration) { at = noon().Add(-d) }
}

func TestASetServesUntilItExpires(t *testing.T) {
	for life, want := range map[time.Duration]string{time.Hour: "", 30 * time.Minute: "ExpiredTokenException"} {
		v, ago := newClock(Options{})
		ago(45 * time.Minute)
		c := v.sandbox.Issue("alice", life)
		ago(0)
		if got := honoured(t, v, c); got != want {
			t.Errorf("of a life of %s, after 45 min: %q, want %q", life, got, want)
		}
	}
}

func TestAShortSetServesForTheOverlap(t *testing.T) {
	for overlap, want := range map[time.Duration]string{
		0: "", time.Hour: "", -1: "ExpiredTokenException", time.Second: "ExpiredTokenException",
	} {
		v, ago := newClock(Options{Overlap: overlap})
		ago(30 * time.Second)
		c := v.sandbox.Issue("alice", time.Second)
		ago(0)
		if got := honoured(t, v, c); got != want {
			t.Errorf("overlap %s: 29 s after it expired: %q, want %q", overlap, got, want)
		}
	}
}

func TestAReplacedSetServesForTheOverlapAfterItWasReplaced(t *testing.T) {
	for name, test := range map[string]struct {
		replaced time.Duration // that long ago
		by       string
		want     string
	}{
		"just now":          {59 * time.Second, "alice", ""},
		"long ago":          {61 * time.Second, "alice", "ExpiredTokenException"},
		"another's":         {59 * time.Second, "bob", "ExpiredTokenException"},
		"after it was gone": {30 * time.Second, "alice", "ExpiredTokenException"},
	} {
		v, ago := newClock(Options{})
		ago(10 * time.Minute)
		life := 9*time.Minute + 2*time.Second // it expires 58 s ago
		if name == "after it was gone" {
			life = time.Minute
		}
		c := v.sandbox.Issue("alice", life)
		ago(test.replaced)
		v.sandbox.Issue(test.by, time.Hour)
		ago(0)
		if got := honoured(t, v, c); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestAReplacementShortensNoLife(t *testing.T) {
	v, ago := newClock(Options{})
	ago(30 * time.Minute)
	c := v.sandbox.Issue("alice", time.Hour)
	ago(29 * time.Minute)
	v.sandbox.Issue("alice", time.Hour)
	ago(0)
	if got := honoured(t, v, c); got != "" {
		t.Error(got)
	}
}

func TestARevokedSetServesNoLonger(t *testing.T) {
	v, _ := newClock(Options{})
	sets := []Credentials{v.sandbox.Issue("alice", time.Hour), v.sandbox.IssueStatic("alice")}
	for _, c := range sets {
		if got := honoured(t, v, c); got != "" {
			t.Error(got)
		}
		v.sandbox.Revoke(c.AccessKeyID)
		if got := honoured(t, v, c); got != "UnrecognizedClientException" {
			t.Errorf("%s: %q", c.AccessKeyID, got)
		}
	}
	v.sandbox.Revoke("nobody's")
}

func TestSetsTornApartAreCountedAsMixed(t *testing.T) {
	v, c := newVerifier()
	other, static := v.sandbox.Issue("alice", time.Hour), v.sandbox.IssueStatic("bob")
	for name, test := range map[string]struct {
		set   Credentials
		mixed bool
	}{
		"the token of another":    {Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: other.SessionToken}, true},
		"the secret of another":   {Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: other.SecretAccessKey, SessionToken: c.SessionToken}, true},
		"a token too many":        {Credentials{AccessKeyID: static.AccessKeyID, SecretAccessKey: static.SecretAccessKey, SessionToken: c.SessionToken}, true},
		"a secret of nobody's":    {Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: "x", SessionToken: c.SessionToken}, false},
		"a token of nobody's":     {Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: "x"}, false},
		"a key of nobody's":       {Credentials{AccessKeyID: "ASIAX", SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, false},
		"a temporary one, halved": {Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey}, false},
	} {
		_, no := judge(v, signed(t, test.set, "POST", "/", "", http.Header{}, "svc", "eu-west-1"))
		if no == nil || no.mixed != test.mixed {
			t.Errorf("%s: %+v", name, no)
		}
	}
}

func TestAnExpiredSetIsRefusedAsExpired(t *testing.T) {
	v, _ := newClock(Options{Overlap: time.Hour})
	for _, c := range []Credentials{v.sandbox.Issue("alice", time.Hour), v.sandbox.IssueStatic("alice")} {
		v.sandbox.Expire(c.AccessKeyID)
		if got := honoured(t, v, c); got != "ExpiredTokenException" {
			t.Errorf("%s: %q", c.AccessKeyID, got)
		}
	}
	v.sandbox.Expire("nobody's")
}

func TestAnIdentityIsKnownOnceItWasNamed(t *testing.T) {
	s := New(Options{})
	if s.known("alice") != nil {
		t.Error("known before")
	}
	if alice := s.Identity("alice"); s.known("alice") != alice || s.role(alice.RoleARN) != alice {
		t.Error("not known")
	}
}
