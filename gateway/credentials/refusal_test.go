package credentials

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

func TestRefusalsOfOneGenerationAreOneRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(time.Second, time.Hour)
		c := newCache(t, source, Options{})
		g, _, _ := get(c)
		var refusals sync.WaitGroup
		for range 100 {
			refusals.Go(func() {
				c.Invalidate(g)
				if next, _, err := get(c); err != nil || next == g {
					t.Errorf("%+v, %v", next, err)
				}
			})
		}
		refusals.Wait()
		if n := source.asked.Load(); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestASourceThatReturnsTheRefusedKeyIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{fetch: func(context.Context, int64) (Fetched, error) {
			return Fetched{Credentials: aws.Credentials{AccessKeyID: "AKIA000000000000", SecretAccessKey: "s"}}, nil
		}}
		c := newCache(t, source, Options{})
		for range 500 { // 10 s of refusals at 50 a second
			g, _, err := get(c)
			if err != nil {
				t.Fatal(err)
			}
			c.Invalidate(g)
			<-time.After(20 * time.Millisecond)
		}
		if n := source.asked.Load(); n > 3 {
			t.Errorf("asked %d times in 10 s", n)
		}
	})
}

func TestAnInvalidatedGenerationDoesNotComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secret := "old"
		source := &script{fetch: func(context.Context, int64) (Fetched, error) {
			read := secret
			<-time.After(time.Second)
			return Fetched{Credentials: aws.Credentials{AccessKeyID: "AKIA000000000000", SecretAccessKey: read}}, nil
		}}
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		secret = "new"
		c.Invalidate(first)
		second, _, err := get(c)
		if err != nil || second.Credentials.SecretAccessKey != "new" || second.Signer == first.Signer {
			t.Errorf("%+v, %v: want the new secret with a signer that has not seen the old", second, err)
		}
		c.Invalidate(first) // a late refusal of the old one
		if g, _, _ := get(c); g != second {
			t.Error("a refusal of an old generation gave up the new one")
		}
	})
}

func TestAFetchUnderWayDoesNotBringBackWhatWasRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var edited atomic.Bool
		source := &script{fetch: func(_ context.Context, n int64) (Fetched, error) {
			f := living(1, time.Hour)
			if edited.Load() { // looked at before the wait, as a file is
				f.Credentials.SecretAccessKey = "new"
			}
			<-time.After(3 * time.Second)
			return f, nil
		}}
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		<-time.After(time.Until(first.RefreshAt))
		if g, took, _ := get(c); g != first || took != 0 {
			t.Fatalf("in the window: %s", took)
		}
		<-time.After(time.Second) // the refresh has read the old one
		edited.Store(true)
		c.Invalidate(first)
		g, took, err := get(c)
		if err != nil || g.Credentials.SecretAccessKey != "new" || took != 5*time.Second {
			t.Errorf("%+v after %s, %v: want the new secret, after the rest of one fetch and another", g, took, err)
		}
		if source.asked.Load() != 3 || g.Seq != 2 {
			t.Errorf("asked %d times, generation %d", source.asked.Load(), g.Seq)
		}
	})
}

func TestAFetchUnderWayThatBringsAnotherKeyIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := slow(3*time.Second, time.Hour)
		c := newCache(t, source, Options{})
		first, _, _ := get(c)
		<-time.After(time.Until(first.RefreshAt))
		_, _, _ = get(c)
		<-time.After(time.Second)
		c.Invalidate(first)
		if g, took, err := get(c); err != nil || g.Seq != 2 || took != 2*time.Second || source.asked.Load() != 2 {
			t.Errorf("%+v after %s, %v, asked %d times", g, took, err, source.asked.Load())
		}
	})
}

func TestASourceThatOnlyHasTheRefusedKeyIsAskedOnceInTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{fetch: func(context.Context, int64) (Fetched, error) { return living(1, time.Hour), nil }}
		c := newCache(t, source, Options{})
		for range 50 * 60 { // a minute of refusals at 50 a second
			g, _, err := get(c)
			if err != nil {
				t.Fatal(err)
			}
			c.Invalidate(g)
			<-time.After(20 * time.Millisecond)
		}
		if n := source.asked.Load(); n < 6 || n > 8 {
			t.Errorf("asked %d times in a minute", n)
		}
	})
}

func TestARefusalOfNothingEndsNoPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{fetch: func(context.Context, int64) (Fetched, error) { return Fetched{}, errors.New("down") }}
		c := newCache(t, source, Options{})
		for range 100 {
			g, _, _ := get(c)
			c.Invalidate(g)
		}
		if n := source.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestFault_C11_ANewSecretUnderTheSameKeyIDSignsAtOnce(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	sign := func(s *v4.Signer, secret string) string {
		r := httptest.NewRequest(http.MethodPost, "https://x.example/mcp", nil)
		creds := aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: secret}
		if err := s.SignHTTP(t.Context(), creds, r, "hash", "svc", "eu-west-1", at); err != nil {
			t.Fatal(err)
		}
		return r.Header.Get("Authorization")
	}
	secrets := make(chan string, 2)
	secrets <- "mistyped"
	secrets <- "right"
	source := &script{fetch: func(context.Context, int64) (Fetched, error) {
		return Fetched{Credentials: aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: <-secrets}}, nil
	}}
	c := newCache(t, source, Options{})
	first, _, _ := get(c)
	sign(first.Signer, first.Credentials.SecretAccessKey)
	c.Invalidate(first)
	second, _, err := get(c)
	if err != nil {
		t.Fatal(err)
	}
	want := sign(v4.NewSigner(), "right")
	if got := sign(second.Signer, second.Credentials.SecretAccessKey); got != want {
		t.Error("the signature is still made with the mistyped secret")
	}
	// The control: one signer for both is what goes wrong.
	if sign(first.Signer, "right") == want {
		t.Error("the SDK's signer tells two secrets apart now: this test proves nothing")
	}
}
