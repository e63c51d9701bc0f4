package policy

import (
	"testing"
	"time"
)

func TestToolsWithoutARuleAreNone(t *testing.T) {
	if New(Rules{}, nil) != nil {
		t.Error("no rule made a policy")
	}
}

func TestToolsFollowAllowDenyAndReadOnly(t *testing.T) {
	now := time.Now()
	hints := &Hints{}
	hints.See("read", true, 0, now)
	hints.See("write", false, 0, now)
	hints.See("read_secret", true, 0, now)
	for _, test := range []struct {
		rules Rules
		name  string
		want  Verdict
	}{
		{Rules{Allow: []string{"read*"}}, "read", Permitted},
		{Rules{Allow: []string{"read*"}}, "write", NotAllowed},
		{Rules{Allow: []string{"read*"}, Deny: []string{"*secret"}}, "read_secret", Denied},
		{Rules{Deny: []string{"write"}}, "write", Denied},
		{Rules{Deny: []string{"write"}}, "read", Permitted},
		{Rules{Deny: []string{"wRite"}}, "WRITE", Denied},
		{Rules{Allow: []string{"Read"}}, "read", NotAllowed},
		{Rules{Deny: []string{"x"}}, "", NoName},
		{Rules{Deny: []string{"x"}}, "x ", NoName},
		{Rules{Deny: []string{"x"}}, "\u00a0x", NoName},
		{Rules{Deny: []string{"x"}}, "x\u200b", NoName},
		{Rules{Deny: []string{"x"}}, "x\U000e0041", NoName},
		{Rules{Deny: []string{"x"}}, "\u202ex", NoName},
		{Rules{Deny: []string{"x"}}, "x\ufe0f", NoName},
		{Rules{Deny: []string{"x"}}, "x\x00", NoName},
		{Rules{ReadOnly: true}, "read", Permitted},
		{Rules{ReadOnly: true}, "write", Writes},
		{Rules{ReadOnly: true}, "other", Unseen},
		{Rules{ReadOnly: true, Allow: []string{"write"}}, "write", Permitted},
		{Rules{ReadOnly: true, Allow: []string{"write"}}, "read", Permitted},
		{Rules{ReadOnly: true, Allow: []string{"*"}, Deny: []string{"read"}}, "read", Denied},
	} {
		if got := New(test.rules, hints).Call(test.name, now); got != test.want {
			t.Errorf("%+v: %q is %d, want %d", test.rules, test.name, got, test.want)
		}
	}
}

func TestHintsAreWhatTheLastListSaid(t *testing.T) {
	now := time.Now()
	hints := &Hints{}
	tools := New(Rules{ReadOnly: true}, hints)
	hints.See("a", true, 0, now)
	hints.See("a", false, 0, now.Add(time.Second))
	if got := tools.Call("a", now.Add(time.Second)); got != Writes {
		t.Errorf("a hint that became false is %d", got)
	}
	hints.See("a", true, 0, now.Add(2*time.Second))
	if got := tools.Call("a", now.Add(2*time.Second)); got != Permitted {
		t.Errorf("a hint that became true is %d", got)
	}
}

func reads(v Verdict) bool { return v == Permitted }

func TestHintsGrowOldAndAreGivenUp(t *testing.T) {
	now := time.Now()
	hints := &Hints{}
	tools := New(Rules{ReadOnly: true}, hints)
	hints.See("a", true, 0, now)
	hints.See("b", true, 0, now.Add(time.Minute))
	if got := tools.Call("a", now.Add(hintsLast)); got != Unseen || !reads(tools.Last("a")) {
		t.Errorf("an old hint is %d", got)
	}
	hints.Changed(now.Add(2 * time.Minute))
	if got := tools.Call("b", now.Add(2*time.Minute)); got != Unseen || reads(tools.Last("b")) {
		t.Errorf("a hint from before a change is %d, and relied on", got)
	}
	hints.See("b", true, 0, now.Add(3*time.Minute))
	hints.Complete(now.Add(3 * time.Minute))
	if tools.Call("b", now.Add(3*time.Minute)) != Permitted || reads(tools.Last("a")) {
		t.Error("a whole list did not end what it does not have, or ended what it has")
	}
}

func TestHintsAreBounded(t *testing.T) {
	hints := &Hints{}
	for i := range maxHints + 10 {
		hints.See(string(rune('一'+i)), true, 0, time.Now())
	}
	if len(hints.tools) != maxHints {
		t.Errorf("%d tools are remembered", len(hints.tools))
	}
}
