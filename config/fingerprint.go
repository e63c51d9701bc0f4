package config

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
)

// fingerprint tells the contents of files apart: which there are, and all their bytes. It reads every time:
// size and times do not show every save, and these files are small.
func fingerprint(files []string) string {
	sum := sha256.New()
	for _, file := range files {
		fmt.Fprintf(sum, "%q %s\n", file, digest(file))
	}
	return string(sum.Sum(nil))
}

// digest stands for what a path holds.
func digest(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return reason(err)
	}
	if !info.Mode().IsRegular() {
		return info.Mode().Type().String() // to read a pipe is to take from it
	}
	file, err := os.Open(path)
	if err != nil {
		return reason(err)
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return reason(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}
