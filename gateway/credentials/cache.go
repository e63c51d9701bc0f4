// Package credentials keeps one route's AWS credentials fresh beside its calls.
//
// A Cache holds one Generation at a time. A call that finds it valid takes it without waiting, and without
// a lock, even while the next one is being fetched; a fetch that fails is invisible until what is held has
// really expired. There is one fetch at a time, it belongs to no call, and it has a deadline of its own.
package credentials

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"go.opentelemetry.io/otel/trace"
)

// errClosed is the answer of a Cache that was closed.
var errClosed = errors.New("the route is gone")

// quiet is how long a source is not asked again after it returned the very credentials that were refused.
const quiet = 10 * time.Second

// A Source is where credentials come from.
type Source interface {
	// Fetch fetches them once. It must return when ctx ends; a Cache does not wait for one that does not.
	Fetch(ctx context.Context) (Fetched, error)
}

// Fetched is what a source returned.
type Fetched struct {
	// Credentials are a consistent set. Those that cannot expire are held until they are refused.
	Credentials aws.Credentials

	// Region is the profile's, else that of the environment. Empty: neither has one.
	Region string
}

// A Generation is one consistent set of credentials with a signer that has seen no other. It never changes.
type Generation struct {
	// Credentials and Region are what the source returned.
	Credentials aws.Credentials
	Region      string

	// Signer is this generation's own: v4.Signer caches derived keys by key id and day, never by secret.
	Signer *v4.Signer

	// Seq counts the generations of one Cache from 1.
	Seq uint64

	// Obtained is when they were fetched, RefreshAt from when on newer ones are sought, and Hard until when
	// they are used. The last two are zero for credentials that cannot expire.
	Obtained, RefreshAt, Hard time.Time
}

// valid reports whether g may be signed with. g may be nil.
func (g *Generation) valid(now time.Time) bool {
	return g != nil && (g.Hard.IsZero() || now.Before(g.Hard))
}

// fresh reports whether no newer credentials are sought yet.
func (g *Generation) fresh(now time.Time) bool {
	return g.RefreshAt.IsZero() || now.Before(g.RefreshAt)
}

// same reports whether two sets are the same key.
func same(a, b aws.Credentials) bool {
	return a.AccessKeyID == b.AccessKeyID && a.SecretAccessKey == b.SecretAccessKey && a.SessionToken == b.SessionToken
}

// Options shape a Cache. The zero value works.
type Options struct {
	// Name is the route's, for spans.
	Name string

	// Timeout bounds one fetch. Zero: 45 s.
	Timeout time.Duration

	// Wait bounds how long Get waits when there is nothing to sign with. Zero: 10 s.
	Wait time.Duration

	// Observe is told of each fetch when it ends. Nil: nobody is.
	Observe func(Refresh)

	// Tracer makes a span of each fetch. Nil: none.
	Tracer trace.Tracer
}

// A Refresh is one fetch that ended.
type Refresh struct {
	// Took is how long it took, Err why it failed, and Seq the generation it made, if any.
	Took time.Duration
	Err  error
	Seq  uint64
}

// A Cache keeps one route's credentials usable. Make it with New; it is safe for concurrent use.
type Cache struct {
	// fixed at build
	source  Source
	options Options
	ctx     context.Context
	cancel  context.CancelFunc

	// swapped
	held atomic.Pointer[Generation]

	// guarded
	mu      sync.Mutex
	flight  *flight     // under mu; nil: none is under way
	backoff backoff     // under mu
	refused *Generation // the last that AWS refused; under mu
	seq     uint64      // under mu
	last    LastRefresh // under mu
}

// New makes a Cache. It asks nothing of source until the first Get.
func New(source Source, o Options) *Cache {
	if o.Timeout == 0 {
		o.Timeout = 45 * time.Second
	}
	if o.Wait == 0 {
		o.Wait = 10 * time.Second
	}
	c := &Cache{source: source, options: o}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Close ends the fetch under way. After it Get fails.
func (c *Cache) Close() {
	c.cancel()
	c.held.Store(nil)
}

// Ready reports whether Get would return at once with credentials.
func (c *Cache) Ready(now time.Time) bool { return c.held.Load().valid(now) }

// Get is the generation to sign with at now. While there is a valid one it returns at once; otherwise it
// waits, with everyone else, for the one fetch under way: at most Options.Wait, and not past ctx. The error
// is an *Error, or that of ctx.
func (c *Cache) Get(ctx context.Context, now time.Time) (*Generation, error) {
	g := c.held.Load()
	if g.valid(now) {
		if !g.fresh(now) && c.mu.TryLock() {
			_, _ = c.begin(ctx, now) // while g is valid a failure is nobody's
			c.mu.Unlock()
		}
		return g, nil
	}
	return c.await(ctx, now)
}

// await waits for the fetch under way, which it begins if there is none.
func (c *Cache) await(ctx context.Context, now time.Time) (*Generation, error) {
	c.mu.Lock()
	f, err := c.begin(ctx, now)
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(c.options.Wait)
	defer timer.Stop()
	select {
	case <-f.done:
		return f.result, f.err
	case <-timer.C:
		return nil, &Error{
			Reason: "sts_unreachable", RetryAfter: time.Second,
			Message: "the source of the credentials has not answered for " + c.options.Wait.String(),
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// begin begins a fetch unless one is under way, or the last one failed too recently. c.mu is held.
func (c *Cache) begin(ctx context.Context, now time.Time) (*flight, error) {
	if c.flight != nil {
		return c.flight, nil
	}
	if c.ctx.Err() != nil {
		return nil, &Error{Reason: "no_credentials", Message: errClosed.Error(), Err: errClosed}
	}
	if g := c.held.Load(); g.valid(now) && g.fresh(now) {
		return &flight{done: closed(), result: g}, nil
	}
	if err := c.backoff.err(now); err != nil {
		return nil, err
	}
	c.flight = c.take(ctx)
	return c.flight, nil
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// Invalidate gives up g, which AWS refused: however many refusals there are, one fetch follows. A source
// that returns the same credentials again is left alone for ten seconds.
func (c *Cache) Invalidate(g *Generation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held.Load() != g {
		return
	}
	if c.refused != nil && same(c.refused.Credentials, g.Credentials) && time.Since(g.Obtained) < quiet {
		return
	}
	c.refused = g
	c.backoff = backoff{}
	c.held.Store(nil)
}

// publish makes what was fetched the generation that is held.
func (c *Cache) publish(fetched Fetched) *Generation {
	now := time.Now().Round(0) // wall clock: a laptop's sleep stops the other one
	c.seq++
	g := &Generation{
		Credentials: fetched.Credentials, Region: fetched.Region,
		Signer: v4.NewSigner(), Seq: c.seq, Obtained: now,
	}
	if fetched.Credentials.CanExpire {
		life := fetched.Credentials.Expires.Sub(now)
		ahead := min(5*time.Minute, life/4)
		jitter := time.Duration(rand.Float64() * float64(ahead) / 2)
		g.RefreshAt = fetched.Credentials.Expires.Add(-ahead - jitter).Round(0)
		g.Hard = fetched.Credentials.Expires.Add(-min(15*time.Second, life/8)).Round(0)
	}
	c.held.Store(g)
	return g
}
