package credentials

import (
	"context"
	"crypto/sha256"

	"github.com/aws/aws-sdk-go-v2/config"
)

// parsed are AWS's files as they were read last, and the profiles taken from them since.
type parsed struct {
	contents [sha256.Size]byte
	profiles map[string]profile
}

// A profile is one as parsed, or why it cannot be. The same one is handed to every route.
type profile struct {
	shared config.SharedConfig
	err    error
}

// maxParses bounds how often files that change while they are parsed are parsed anew.
const maxParses = 5

// load is a profile and those it names as sources, and the contents of the files that it is from. The files are
// parsed once for each change.
func (h *Home) load(name string) (p profile, contents [sha256.Size]byte) {
	for range maxParses {
		contents = h.files.contents()
		if p, ok := h.known(contents, name); ok {
			return p, contents
		}
		p.shared, p.err = h.files.parse(name)
		if h.files.contents() == contents { // or it is neither what was there before nor what is now
			h.learn(contents, name, p)
			break
		}
	}
	return p, contents
}

func (h *Home) known(contents [sha256.Size]byte, name string) (profile, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.parsed.profiles[name]
	return p, ok && h.parsed.contents == contents
}

func (h *Home) learn(contents [sha256.Size]byte, name string, p profile) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.parsed.profiles == nil || h.parsed.contents != contents {
		h.parsed = parsed{contents: contents, profiles: map[string]profile{}}
	}
	h.parsed.profiles[name] = p
}

func (f sharedFiles) parse(name string) (config.SharedConfig, error) {
	if err := f.readable(); err != nil {
		return config.SharedConfig{}, err
	}
	return config.LoadSharedConfigProfile(context.Background(), name, func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles = []string{f.config}
		o.CredentialsFiles = []string{f.credentials}
	})
}
