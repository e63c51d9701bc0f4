package config

import (
	"crypto/sha256"
	"io"
	"os"
)

// fingerprint tells the contents of files apart: which there are, and all their bytes. It reads every time:
// size and times do not show every save, and these files are small. Of several hundred, most are not there.
func fingerprint(files []string) string {
	sum, buffer := sha256.New(), make([]byte, 32<<10)
	for _, file := range files {
		_, _ = io.WriteString(sum, file+"\x00"+digest(file, buffer)+"\x00") // a hash takes everything
	}
	return string(sum.Sum(nil))
}

// digest stands for what a path holds.
func digest(path string, buffer []byte) string {
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
	if _, err := io.CopyBuffer(sum, struct{ io.Reader }{file}, buffer); err != nil {
		return reason(err)
	}
	return string(sum.Sum(nil))
}
