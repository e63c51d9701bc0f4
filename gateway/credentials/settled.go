package credentials

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

const (
	// recently is how long after a save a file may still be in the middle of being written.
	recently = time.Second

	// again is when such a file is read once more, to see whether it is.
	again = 200 * time.Millisecond
)

// errNoFile is what a path leads to that is there and is no file to read.
var errNoFile = errors.New("is not a regular file")

// readFile reads a file. Anything else, a pipe for instance, would keep whoever reads it for ever.
func readFile(path string) ([]byte, error) {
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() && info.Mode()&fs.ModeCharDevice == 0:
		return nil, errNoFile
	}
	return os.ReadFile(path)
}

// contents tells what the files hold apart, or that they cannot be read.
func (f sharedFiles) contents() [sha256.Size]byte {
	sum := sha256.New()
	for _, path := range []string{f.config, f.credentials} {
		text, err := readFile(path)
		fmt.Fprintf(sum, "%d %t\n", len(text), err == nil)
		sum.Write(text)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

// settled is the contents of the files once they are not in the middle of being written: those saved a moment
// ago are read until two reads are the same.
func (f sharedFiles) settled(ctx context.Context) ([sha256.Size]byte, error) {
	contents := f.contents()
	for !still(f.config) || !still(f.credentials) {
		waitFor(ctx, "no_credentials", "~/.aws/config or credentials, which are being written,")
		if err := pause(ctx, again); err != nil {
			return contents, err
		}
		before := contents
		if contents = f.contents(); contents == before {
			break
		}
	}
	return contents, nil
}

// still reports whether a file was not saved a moment ago. A clock that is far from the file's says so too.
func still(path string) bool {
	info, err := os.Stat(path)
	return err != nil || time.Since(info.ModTime()).Abs() > recently
}

// readSettled reads a file that somebody else writes, when it is not being written.
func readSettled(ctx context.Context, path string) ([]byte, error) {
	text, err := readFile(path)
	for err == nil && !still(path) {
		if err := pause(ctx, again); err != nil {
			return nil, err
		}
		before := text
		if text, err = readFile(path); bytes.Equal(before, text) {
			break
		}
	}
	return text, err
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
