package credentials

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A script is a Source that does what a test says; n counts the fetches from 1. Its files changed when edited
// says so.
type script struct {
	asked  atomic.Int64
	fetch  func(ctx context.Context, n int64) (Fetched, error)
	edited atomic.Bool
}

func (s *script) Changed(bool) bool { return s.edited.Load() }

func (s *script) Fetch(ctx context.Context) (Fetched, error) { return s.fetch(ctx, s.asked.Add(1)) }

// living is the nth set, which lives that long.
func living(n int64, life time.Duration) Fetched {
	return Fetched{Credentials: aws.Credentials{
		AccessKeyID: fmt.Sprintf("ASIA%012d", n), SecretAccessKey: "secret", SessionToken: "token",
		CanExpire: true, Expires: time.Now().Add(life),
	}}
}

// slow is a source of sets that live that long, each of which takes its time.
func slow(takes, life time.Duration) *script {
	return &script{fetch: func(ctx context.Context, n int64) (Fetched, error) {
		select {
		case <-time.After(takes):
			return living(n, life), nil
		case <-ctx.Done():
			return Fetched{}, ctx.Err()
		}
	}}
}

func newCache(t *testing.T, s Source, o Options) *Cache {
	t.Helper()
	c := New(s, o)
	t.Cleanup(c.Close)
	return c
}

// get gets, and reports how long that took.
func get(c *Cache) (*Generation, time.Duration, error) {
	began := time.Now()
	g, err := c.Get(context.Background(), began)
	return g, time.Since(began), err
}
