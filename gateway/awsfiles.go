package gateway

import (
	"context"
	"maps"
	"slices"

	"signet/config"
)

// Follow keeps the credentials of each route true to AWS's own files (config, credentials, and the token files
// that the profiles lead to) until ctx ends: an edit or a new login reaches the routes whose profile it
// concerns as soon as the file has settled, and no others. Without it a change is seen when credentials are
// next fetched.
func (g *Gateway) Follow(ctx context.Context) {
	notice := func(what string) { g.log.Warn("AWS's files: " + what) }
	changes := config.WatchFiles(ctx, g.awsFiles, config.WatchOptions{Notice: notice})
	g.recheck() // of what was fetched before anybody watched
	for range changes {
		g.recheck()
	}
}

// awsFiles are the files that decide the credentials of the routes that serve now.
func (g *Gateway) awsFiles() []string {
	files := map[string]bool{}
	for _, path := range g.home.Files() {
		files[path] = true
	}
	for _, rt := range g.current.Load().routes {
		for _, id := range rt.identities() {
			for _, path := range id.profile.Files() {
				files[path] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(files))
}

// recheck has every route that serves look at its files.
func (g *Gateway) recheck() {
	for _, rt := range g.current.Load().routes {
		for _, id := range rt.identities() {
			id.cache.Recheck()
		}
	}
}
