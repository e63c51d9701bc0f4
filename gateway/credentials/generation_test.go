package credentials

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestTheWindowIsAheadOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for life, window := range map[time.Duration][3]time.Duration{
			time.Hour:        {5 * time.Minute, 7*time.Minute + 30*time.Second, 15 * time.Second},
			15 * time.Minute: {225 * time.Second, 338 * time.Second, 15 * time.Second},
			8 * time.Second:  {2 * time.Second, 3 * time.Second, time.Second},
		} {
			c := newCache(t, slow(0, life), Options{})
			g, _, err := get(c)
			if err != nil {
				t.Fatal(err)
			}
			ahead, hard := g.Credentials.Expires.Sub(g.RefreshAt), g.Credentials.Expires.Sub(g.Hard)
			if ahead < window[0] || ahead > window[1] || hard != window[2] {
				t.Errorf("%s: refreshed %s ahead, used until %s before the end; want %v", life, ahead, hard, window)
			}
		}
	})
}

func TestCredentialsThatCannotExpireAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{fetch: func(context.Context, int64) (Fetched, error) {
			return Fetched{Credentials: aws.Credentials{AccessKeyID: "AKIA000000000000", SecretAccessKey: "s"}, Region: "eu-west-1"}, nil
		}}
		c := newCache(t, source, Options{})
		for range 10 {
			if g, _, err := get(c); err != nil || g.Region != "eu-west-1" {
				t.Errorf("%+v, %v", g, err)
			}
			<-time.After(24 * time.Hour)
		}
		if n := source.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}
