package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"signet/config"
)

// welcome says once what is served: every route with its URL and the identity it signs with.
func welcome(w io.Writer, cfg *config.Config, urls []string) {
	fmt.Fprintf(w, "signet %s serves %s\n\n", version(), cfg.Path)
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "  URL\tSIGNED FOR\tPROFILE")
	for _, name := range enabledRoutes(cfg) {
		r := cfg.Routes[name]
		fmt.Fprintf(table, "  %s/%s\t%s\t%s\n", preferredURL(urls), name, signedFor(r), profileOf(r))
	}
	_ = table.Flush()
	fmt.Fprintln(w)
	for _, url := range urls {
		if url != preferredURL(urls) {
			fmt.Fprintf(w, "  also at %s\n", url)
		}
	}
	fmt.Fprintf(w, "  %s\n", whoMayCall(cfg))
}

// signedFor is "service/region". A region that stands nowhere in the config is the profile's.
func signedFor(r config.Route) string {
	switch {
	case r.UpstreamAuth == "none":
		return "not signed"
	case r.Region == "":
		return r.Service + "/(the profile's)"
	}
	return r.Service + "/" + r.Region
}

func profileOf(r config.Route) string {
	switch {
	case r.UpstreamAuth == "none":
		return "-"
	case r.Profile == "":
		return "(environment, or default)"
	}
	return r.Profile
}

func whoMayCall(cfg *config.Config) string {
	switch n := len(cfg.Auth.Keys); {
	case cfg.Auth.Mode == "none":
		return "auth: none, every program on this machine may call"
	case n == 1:
		return "auth: keys, 1 key in " + cfg.Auth.KeysFile
	default:
		return fmt.Sprintf("auth: keys, %d keys in %s", n, cfg.Auth.KeysFile)
	}
}

// printEntry shows how a client is told of a route: a command to type, and the JSON most clients' files take.
func printEntry(w io.Writer, route, url, secret string) {
	fmt.Fprintf(w, "\nClaude Code:\n\n  claude mcp add --transport http %s %s \\\n    --header \"Authorization: Bearer %s\"\n", route, url, secret)
	fmt.Fprintf(w, "\nOther clients:\n\n%s\n", entryJSON(route, url, secret))
}

// entryJSON is the entry as .mcp.json has it, indented by two.
func entryJSON(route, url, secret string) []byte {
	type entry struct {
		Type    string            `json:"type"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
	}
	servers := map[string]map[string]entry{"mcpServers": {
		route: {"http", url, map[string]string{"Authorization": "Bearer " + secret}},
	}}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("  ", "  ")
	_ = e.Encode(servers) // strings alone: it cannot fail
	return append([]byte("  "), bytes.TrimRight(b.Bytes(), "\n")...)
}

// enabledRoutes are the names of the routes that serve, sorted.
func enabledRoutes(cfg *config.Config) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(cfg.Routes)), func(name string) bool { return !cfg.Routes[name].Enabled })
}

// firstRoute is the one shown as an example, empty when there is none.
func firstRoute(cfg *config.Config) string {
	if names := enabledRoutes(cfg); len(names) > 0 {
		return names[0]
	}
	return ""
}

// preferredURL is the one to show to clients: of a TCP listener if there is one.
func preferredURL(urls []string) string {
	if i := slices.IndexFunc(urls, func(u string) bool { return strings.HasPrefix(u, "http") }); i >= 0 {
		return urls[i]
	}
	return urls[0]
}

// configuredURL is where a gateway of this config is reached, by its config alone.
func configuredURL(cfg *config.Config) string {
	scheme := "http://"
	if cfg.TLS.On() {
		scheme = "https://"
	}
	var urls []string
	for _, address := range cfg.Listen {
		if !strings.HasPrefix(address, unixScheme) {
			address = scheme + address
		}
		urls = append(urls, address)
	}
	return preferredURL(urls)
}
