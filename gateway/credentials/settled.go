package credentials

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"time"
)

const (
	// recently is how long after a save a file may still be in the middle of being written.
	recently = time.Second

	// again is when such a file is read once more, to see whether it is.
	again = 100 * time.Millisecond
)

// contents tells what the files hold apart.
func (f sharedFiles) contents() [sha256.Size]byte {
	sum := sha256.New()
	for _, path := range []string{f.config, f.credentials} {
		text, err := os.ReadFile(path)
		fmt.Fprintf(sum, "%d %t\n", len(text), err == nil)
		sum.Write(text)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

// settle returns once the files are not in the middle of being written: those saved a moment ago are read until
// two reads are the same.
func (f sharedFiles) settle(ctx context.Context) error {
	contents := f.contents()
	for !still(f.config) || !still(f.credentials) {
		waitFor(ctx, "no_credentials", "~/.aws/config or credentials, which are being written,")
		if err := pause(ctx, again); err != nil {
			return err
		}
		before := contents
		if contents = f.contents(); contents == before {
			return nil
		}
	}
	return nil
}

// still reports whether a file was not saved a moment ago. A clock that is far from the file's says so too.
func still(path string) bool {
	info, err := os.Stat(path)
	return err != nil || time.Since(info.ModTime()).Abs() > recently
}

// readSettled reads a file that somebody else writes, when it is not being written.
func readSettled(ctx context.Context, path string) ([]byte, error) {
	for {
		text, err := os.ReadFile(path)
		if err != nil || still(path) {
			return text, err
		}
		if err := pause(ctx, again); err != nil {
			return nil, err
		}
		if next, err := os.ReadFile(path); err != nil || string(next) == string(text) {
			return next, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
