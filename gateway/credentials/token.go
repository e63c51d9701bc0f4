package credentials

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A tokenFile is where a login keeps what it is refreshed with. Others write it too: the AWS CLI, and the user
// who logs in anew.
type tokenFile struct {
	path string
	text []byte // as read
}

// token reads a token file once it is not being written, and notes what it holds.
func (l link) token(ctx context.Context, path string) (tokenFile, error) {
	text, err := readSettled(ctx, path)
	l.read.file(path, text)
	return tokenFile{path, text}, err
}

// renew has the SDK refresh a token in a copy, which says this, and puts the copy in the file's place. Refresh
// tokens are good for one use: so a directory that cannot be written is found out before one is spent, the file
// is never seen half written, and a login that the user made meanwhile stays.
func (l link) renew(f tokenFile, says []byte, refresh func(copy string) error) error {
	beside, err := f.beside(says)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(beside) }() // gone already if all went well
	if err := refresh(beside); err != nil {
		return err
	}
	renewed, err := readFile(beside)
	if err != nil {
		return err
	}
	if now, err := readFile(f.path); err == nil && !bytes.Equal(now, f.text) {
		l.read.file(f.path, now)
		return nil
	}
	l.options.Home.wrote(f.path, renewed)
	l.read.file(f.path, renewed)
	return os.Rename(beside, f.path)
}

// beside makes a file in the same directory, with the same mode.
func (f tokenFile) beside(says []byte) (path string, err error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp(filepath.Dir(f.path), ".signet-*")
	if err != nil {
		return "", err
	}
	_, err = file.Write(says)
	err = errors.Join(err, file.Chmod(info.Mode().Perm()), file.Sync(), file.Close())
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return file.Name(), err
}

// unwritable reports whether a file could not be written where it belongs.
func unwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOSPC)
}
