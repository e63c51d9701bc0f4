package credentials

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// maxAsks is how many requests to AWS and runs of a credential_process are under way at once.
	maxAsks = 8

	// lease is how long one of them counts. Eight sources that hang must not keep a ninth route waiting for
	// longer than its calls wait.
	lease = 5 * time.Second
)

// A Home is what the sources of many routes have in common on one machine: AWS's files, read once for each
// change, and the things that must not be done twice at the same time. It shares no credentials: each route
// fetches its own. Make it with NewHome; it is safe for concurrent use.
type Home struct {
	asks  chan struct{} // holds one for each ask under way
	files sharedFiles

	mu     sync.Mutex
	gates  map[string]*gate             // by what is done behind it; under mu
	ours   map[string][sha256.Size]byte // token files as we wrote them; under mu
	parsed parsed                       // AWS's files as last read; under mu
	client trusting                     // the last client made; under mu
}

// NewHome makes a Home of the user's own ~/.aws, or of the files that AWS_CONFIG_FILE and
// AWS_SHARED_CREDENTIALS_FILE name now.
func NewHome() *Home {
	return &Home{
		asks: make(chan struct{}, maxAsks), files: files(),
		gates: map[string]*gate{}, ours: map[string][sha256.Size]byte{},
	}
}

// Files are the files whose contents decide anybody's credentials, whichever profile is used. Not all of
// them exist: one stands for the directory in which it may come.
func (h *Home) Files() []string { return h.files.followed() }

// ask waits until fewer than maxAsks others ask. The caller calls done when it has its answer.
func (h *Home) ask(ctx context.Context) (done func(), err error) {
	select {
	case h.asks <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	var once sync.Once
	give := func() { once.Do(func() { <-h.asks }) }
	timer := time.AfterFunc(lease, give)
	return func() { timer.Stop(); give() }, nil
}

// wrote notes that a token file holds this because we wrote it: that is no change to anybody.
func (h *Home) wrote(path string, content []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ours[path] = sha256.Sum256(content)
}

// isOurs reports whether a file holds what we wrote.
func (h *Home) isOurs(path string, content []byte) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	sum, ok := h.ours[path]
	return ok && sum == sha256.Sum256(content)
}
