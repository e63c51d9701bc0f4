package credentials

import (
	"testing"
	"time"

	"signet/gateway/sandbox"
)

// ourClockIsOff is a cloud whose clock, STS's and all its lives, is that far ahead of ours, and a role in it.
func ourClockIsOff(t *testing.T, by time.Duration) (*sandbox.Sandbox, *sandbox.STS) {
	t.Helper()
	cloud := sandbox.New(sandbox.Options{Now: func() time.Time { return time.Now().Add(by) }})
	t.Cleanup(cloud.Close)
	sts := cloud.STS(sandbox.STSOptions{})
	base := cloud.IssueStatic("base")
	home(t, "[profile r]\nrole_arn = "+cloud.Identity("r").RoleARN+"\nsource_profile = base\nregion = eu-west-1\n",
		"[base]\naws_access_key_id = "+base.AccessKeyID+"\naws_secret_access_key = "+base.SecretAccessKey+"\n")
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL())
	return cloud, sts
}

func TestPitfall28_ARoleIsAssumedWithAClockThatIsOff(t *testing.T) {
	for _, by := range []time.Duration{-25 * time.Hour, -time.Hour, -10 * time.Minute, 10 * time.Minute, time.Hour, 25 * time.Hour} {
		_, sts := ourClockIsOff(t, by)
		c := newCache(t, NewProfile(ProfileOptions{Profile: "r", HTTPClient: loopback(t)}), Options{})
		g, _, err := get(c)
		if err != nil || sts.Asked() != 2 || len(sts.Granted()) != 1 {
			t.Errorf("%s: %v, STS was asked %d times and granted %d", by, err, sts.Asked(), len(sts.Granted()))
			continue
		}
		// By AWS's clock, which the caller has learned by now, they live for an hour.
		now := time.Now().Add(by)
		if !g.valid(now) || !g.valid(now.Add(50*time.Minute)) || g.valid(now.Add(time.Hour)) || !g.fresh(now) || g.fresh(now.Add(57*time.Minute)) {
			t.Errorf("%s: from %s on newer ones are sought, used until %s, now it is %s", by, g.RefreshAt, g.Hard, now)
		}
		if age := c.State().Age; age < 0 || age > 60 {
			t.Errorf("%s: %f s old", by, age)
		}
	}
}

func TestAClockThatIsRightAsksOnce(t *testing.T) {
	_, sts := ourClockIsOff(t, time.Minute)
	if _, err := fetch(t, ProfileOptions{Profile: "r"}); err != nil || sts.Asked() != 1 {
		t.Errorf("%v, STS was asked %d times", err, sts.Asked())
	}
}
