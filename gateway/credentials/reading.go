package credentials

import (
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/config"
)

// A reading is what a fetch found in files: how the profile stands there, and the files it names. Two that
// are equal lead to the same. It holds no secret, only sums.
type reading struct {
	profile [sha256.Size]byte // of the profile with its sources, or of why it cannot be used

	mu    sync.Mutex
	files map[string][sha256.Size]byte // by path; the zero sum: it was not there; under mu
}

func newReading(shared config.SharedConfig, err error) *reading {
	r := &reading{files: map[string][sha256.Size]byte{}}
	if err != nil {
		r.profile = sha256.Sum256([]byte("error: " + err.Error()))
		return r
	}
	text, err := json.Marshal(shared)
	if err != nil {
		panic(err) // a profile is plain strings, numbers and times
	}
	r.profile = sha256.Sum256(text)
	return r
}

// file notes what a file holds. Nil content: it is not there.
func (r *reading) file(path string, content []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if content == nil {
		r.files[path] = [sha256.Size]byte{}
		return
	}
	r.files[path] = sha256.Sum256(content)
}

// paths are the files that were read besides AWS's own two.
func (r *reading) paths() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.files))
}

// differs reports whether the profile, read anew as now, or any of the files says something else by now. To
// whoever holds credentials a token file that we wrote ourselves, for whichever route, says nothing new: the
// login behind it is the same.
func (r *reading) differs(now *reading, h *Home, holding bool) bool {
	r.mu.Lock()
	files := maps.Clone(r.files)
	r.mu.Unlock()
	if r.profile != now.profile {
		return true
	}
	for path, before := range files {
		content, err := readFile(path)
		switch {
		case err != nil && before != [sha256.Size]byte{}:
			return true
		case err == nil && sha256.Sum256(content) != before && !(holding && h.isOurs(path, content)):
			return true
		}
	}
	return false
}
