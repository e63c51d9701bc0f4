//go:build unix

package config

import (
	"errors"
	"os"
)

// errWritable says that others could change what the gateway does.
var errWritable = errors.New("others may write this file")

// checkMode refuses a file that its group or others may write.
func checkMode(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o022 != 0 {
		return errWritable
	}
	return nil
}
