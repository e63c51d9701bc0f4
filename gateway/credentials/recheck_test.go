package credentials

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A file is a Source that reads a secret at the beginning of a fetch, which takes its time.
type file struct {
	script
	secret atomic.Value // string
}

func newFile(takes time.Duration, secret string) *file {
	f := &file{}
	f.secret.Store(secret)
	f.fetch = func(ctx context.Context, _ int64) (Fetched, error) {
		read := f.secret.Load().(string)
		f.edited.Store(false)
		if read == "" {
			return Fetched{}, none("half a file")
		}
		return Fetched{Credentials: aws.Credentials{AccessKeyID: "AKIA000000000000", SecretAccessKey: read}}, pause(ctx, takes)
	}
	return f
}

func (f *file) edit(secret string) {
	f.secret.Store(secret)
	f.edited.Store(true)
}

func TestPitfall06_AnEditDuringAFetchIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFile(3*time.Second, "old")
		c := newCache(t, source, Options{})
		time.AfterFunc(time.Second, func() { source.edit("new"); c.Recheck() })
		g, took, err := get(c)
		if err != nil || g.Credentials.SecretAccessKey != "new" || took != 6*time.Second {
			t.Errorf("%+v after %s, %v: want the new secret after the rest of one fetch and another", g, took, err)
		}
		if g.Seq != 1 || source.asked.Load() != 2 {
			t.Errorf("generation %d, asked %d times: what was outdated became one", g.Seq, source.asked.Load())
		}
	})
}

func TestPitfall07_AnEditedSecretUnderTheSameKeyIDIsUsedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFile(0, "old")
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		source.edit("new")
		c.Recheck()
		synctest.Wait()
		second, took, err := get(c)
		if err != nil || took != 0 || second.Credentials.SecretAccessKey != "new" {
			t.Fatalf("%+v after %s, %v", second, took, err)
		}
		if second.Signer == first.Signer {
			t.Error("it has the old one's signer, which knows the old secret by the key's id")
		}
	})
}

func TestWhatIsHeldServesWhileAnEditIsFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFile(3*time.Second, "old")
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		source.edit("new")
		c.Recheck()
		if g, took, err := get(c); g != first || took != 0 || err != nil {
			t.Errorf("meanwhile: %+v after %s, %v", g, took, err)
		}
		<-time.After(3 * time.Second)
		synctest.Wait()
		if g, _, _ := get(c); g.Credentials.SecretAccessKey != "new" {
			t.Error("the edit was not fetched")
		}
	})
}

func TestAnEditThatCannotBeUsedIsTriedAgainWhileTheOldServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFile(0, "old")
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		source.edit("")
		c.Recheck()
		synctest.Wait()
		if g, took, err := get(c); g != first || took != 0 || err != nil {
			t.Errorf("%+v after %s, %v", g, took, err)
		}
		source.secret.Store("new") // completed, and nobody noticed
		<-time.After(2 * time.Second)
		_, _, _ = get(c)
		synctest.Wait()
		if g, _, _ := get(c); g.Credentials.SecretAccessKey != "new" {
			t.Error("credentials without an end are not sought again after a failure")
		}
	})
}

func TestAnEditEndsThePauseAndNothingElseDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFile(0, "")
		c := newCache(t, source, Options{})
		for range 10 {
			_, _, err := get(c)
			var known *Error
			if !errors.As(err, &known) || known.RetryAfter == 0 {
				t.Fatalf("%v", err)
			}
			c.Recheck() // of files that did not change
		}
		if n := source.asked.Load(); n != 1 {
			t.Fatalf("asked %d times within the pause", n)
		}
		source.edit("new")
		c.Recheck()
		if g, took, err := get(c); err != nil || took != 0 || g.Credentials.SecretAccessKey != "new" {
			t.Errorf("%+v after %s, %v", g, took, err)
		}
	})
}

func TestRecheckAsksNothingForARouteThatHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFile(0, "secret")
		c := newCache(t, source, Options{})
		source.edit("other")
		c.Recheck()
		synctest.Wait()
		if n := source.asked.Load(); n != 0 {
			t.Errorf("asked %d times for a route that nobody calls", n)
		}
		c.Close()
		c.Recheck()
	})
}

func TestEditsWithoutEndDoNotKeepAFetchFromLanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFile(3*time.Second, "0")
		c := newCache(t, source, Options{Wait: time.Minute, Timeout: time.Minute})
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			for n := 1; ctx.Err() == nil; n++ {
				_ = pause(ctx, time.Second)
				source.edit(fmt.Sprint(n))
				c.Recheck()
			}
		}()
		if g, took, err := get(c); err != nil || took != 6*time.Second || g.Credentials.SecretAccessKey == "0" {
			t.Errorf("%+v after %s, %v", g, took, err)
		}
		<-time.After(time.Minute)
		stop()
		synctest.Wait()
		last := source.secret.Load().(string)
		<-time.After(10 * time.Second)
		_, _, _ = get(c)
		<-time.After(10 * time.Second)
		if g, _, err := get(c); err != nil || g.Credentials.SecretAccessKey != last {
			t.Errorf("%+v, %v: the last edit, %s, was lost", g, err, last)
		}
	})
}
