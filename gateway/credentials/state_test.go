package credentials

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEachRefreshIsObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []Refresh
		source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
			<-time.After(time.Second)
			if n == 1 {
				return Fetched{}, errors.New("SECRET-CANARY")
			}
			return living(n, time.Hour), nil
		}}
		c := newCache(t, source, Options{Observe: func(r Refresh) { seen = append(seen, r) }})
		_, _, err := get(c)
		if err == nil || err.Error() != "the source of the credentials failed" {
			t.Errorf("an error that is none of ours is quoted: %v", err)
		}
		<-time.After(2 * time.Second)
		_, _, _ = get(c)
		synctest.Wait()
		if len(seen) != 2 || seen[0].Err == nil || seen[0].Took != time.Second || seen[1].Err != nil || seen[1].Seq != 1 {
			t.Errorf("%+v", seen)
		}
		s := c.State()
		if s.KeyID != "ASIA…0002" || s.Generation != 1 || s.LastRefresh == nil || s.LastRefresh.Error != "" || s.Expires.IsZero() {
			t.Errorf("%+v", s)
		}
	})
}

func TestMaskedKeyIDsTellTwoApartAndNoMore(t *testing.T) {
	for id, want := range map[string]string{"AKIAIOSFODNN7EXAMPLE": "AKIA…MPLE", "short": "*****", "": ""} {
		if got := MaskKeyID(id); got != want {
			t.Errorf("%q is %q, want %q", id, got, want)
		}
	}
}

func TestStateSaysHowCredentialsWereComeBy(t *testing.T) {
	home(t, "[profile inner]\nrole_arn = arn:aws:iam::1:role/inner\nsource_profile = dev\n"+
		"[profile outer]\nrole_arn = arn:aws:iam::2:role/outer\nsource_profile = inner\nregion = eu-west-1\n",
		"[default]\naws_access_key_id = AKIAEXAMPLE00001\naws_secret_access_key = SECRET-CANARY\n[dev]\naws_access_key_id = AKIAEXAMPLE00002\naws_secret_access_key = SECRET-CANARY\n")
	answers(t, 200, granted)
	state := func(name string) State {
		c := newCache(t, NewProfile(ProfileOptions{Profile: name, HTTPClient: loopback(t)}), Options{})
		if _, _, err := get(c); err != nil {
			t.Fatal(err)
		}
		return c.State()
	}
	for name, want := range map[string]string{
		"outer": `profile "outer"; role chain arn:aws:iam::1:role/inner, arn:aws:iam::2:role/outer; 2`,
		"dev":   `profile "dev"; keys; `,
		"":      `environment or default profile; profile "default": keys; `,
	} {
		s := state(name)
		if got := s.Source + "; " + s.Via + "; " + s.Account; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if text := fmt.Sprintf("%+v", s); strings.Contains(text, "CANARY") || strings.Contains(text, "EXAMPLE0000") {
			t.Errorf("the state tells too much: %s", text)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE00003")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "SECRET-CANARY")
	if s := state(""); s.Via != "keys of the environment" || s.KeyID != "AKIA…0003" {
		t.Errorf("%+v", s)
	}
}

func TestStateTellsTheProblemUntilTheFilesChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
			if n == 3 {
				return living(n, time.Hour), nil
			}
			return Fetched{}, &Error{Reason: "sso_expired", Message: "ended", Action: "aws sso login", Err: errors.New("SECRET-CANARY")}
		}}
		c := newCache(t, source, Options{})
		if s := c.State(); s.Problem != nil || !s.Edited.IsZero() {
			t.Errorf("before any fetch: %+v", s)
		}
		_, _, _ = get(c)
		s := c.State()
		if p := s.Problem; p == nil || p.Reason != "sso_expired" || p.Message != "ended" || p.Action != "aws sso login" || !p.Lasts() || p.RetryAt.Before(time.Now()) {
			t.Fatalf("%+v", p)
		}
		<-time.After(time.Hour)
		if c.State().Problem == nil {
			t.Error("it goes by itself")
		}
		source.edited.Store(true)
		c.Recheck()
		if s := c.State(); s.Problem != nil || !s.Edited.Equal(time.Now()) {
			t.Errorf("after an edit: %+v", s)
		}
		_, _, _ = get(c)
		if c.State().Problem == nil {
			t.Error("the edit did not mend it, and nothing is told")
		}
		<-time.After(time.Minute)
		if _, _, err := get(c); err != nil || c.State().Problem != nil {
			t.Errorf("%v, and then %+v", err, c.State().Problem)
		}
	})
}
