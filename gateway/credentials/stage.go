package credentials

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// drift is how far AWS's clock and ours may be apart before it counts. What the SDK takes for its own.
const drift = 4 * time.Minute

// A stage is what is known of a fetch while it goes on. The zero value is a fetch that has said nothing.
type stage struct {
	now     atomic.Pointer[Error]  // what it waits for, so that a call that waits no longer can say whose fault it is
	refused atomic.Pointer[string] // the id of the key that AWS refused: not to be brought again; nil: none
	held    string                 // the id of the key that newer ones are wanted for; empty: there is none
	failed  time.Time              // when the fetch before it failed; zero: it did not
	skew    atomic.Int64           // how far AWS's clock was ahead of ours in its last answer
}

type stageKey struct{}

// with is ctx for a source whose stage this is.
func (s *stage) with(ctx context.Context) context.Context {
	return context.WithValue(ctx, stageKey{}, s)
}

// stageOf is the stage of ctx's fetch; one that nobody sees for any other.
func stageOf(ctx context.Context) *stage {
	if s, ok := ctx.Value(stageKey{}).(*stage); ok {
		return s
	}
	return new(stage)
}

// waitFor notes what the fetch of ctx waits for from here on, and the reason if that never answers.
func waitFor(ctx context.Context, reason, what string) {
	stageOf(ctx).now.Store(&Error{Reason: reason, Message: what})
}

// isRefused reports whether AWS refused the key with that id, which is why ctx's fetch was begun.
func isRefused(ctx context.Context, keyID string) bool {
	refused := stageOf(ctx).refused.Load()
	return refused != nil && *refused == keyID
}

// isNews reports whether the key with that id is one that ctx's fetch was not begun to replace.
func isNews(ctx context.Context, keyID string) bool {
	return stageOf(ctx).held != keyID && !isRefused(ctx, keyID)
}

// silent is the error for a fetch that has not ended after so long.
func (s *stage) silent(after time.Duration) *Error {
	e := Error{Reason: "sts_unreachable", Message: "the source of the credentials"}
	if now := s.now.Load(); now != nil {
		e = *now
	}
	e.Message += " has not answered for " + after.String()
	return &e
}

// ahead is how far AWS's clock is ahead of ours. Zero: not far enough to count, or not known.
func (s *stage) ahead() time.Duration {
	if skew := time.Duration(s.skew.Load()); skew.Abs() > drift {
		return skew
	}
	return 0
}

// clock is AWS's time, as far as its answers told; else ours.
func (s *stage) clock() time.Time { return time.Now().Add(s.ahead()) }

// dated is a client that notes AWS's time in the stage of each request.
type dated struct{ aws.HTTPClient }

// Do sends a request.
func (d dated) Do(r *http.Request) (*http.Response, error) {
	response, err := d.HTTPClient.Do(r)
	if err == nil {
		if at, bad := http.ParseTime(response.Header.Get("Date")); bad == nil && response.Header.Get("Age") == "" {
			stageOf(r.Context()).skew.Store(int64(time.Until(at)))
		}
	}
	return response, err
}
