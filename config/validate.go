package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// maxSocket is the longest path of a unix socket that Linux and macOS both take.
const maxSocket = 103

// validate holds a merged config against every rule that the schema cannot state. It needs no network and
// no credentials. Paths in cfg become absolute.
func (l *loading) validate(cfg *Config) {
	l.listen(cfg)
	l.auth(cfg)
	if cfg.Drain < 0 {
		l.problem("drain", "is negative", "")
	}
	if len(cfg.Routes) == 0 && !l.broken("routes") {
		l.problem("routes", "there is no route", "add one under routes:, with an upstream")
	}
	l.bundle = l.checkBundle()
	profiles := l.profiles()
	for _, name := range sortedNames(cfg.Routes) {
		v := &routeRules{loading: l, path: "routes/" + name, name: name, route: cfg.Routes[name], profiles: profiles}
		v.check()
		cfg.Routes[name] = v.route
	}
	l.unused(cfg)
}

// unused warns of a role in the defaults that no route takes.
func (l *loading) unused(cfg *Config) {
	for _, r := range cfg.Routes {
		if r.AssumeRole.ARN != "" {
			return
		}
	}
	if role, _ := l.documents[0].lookup("defaults/assume_role").(map[string]any); len(role) > 0 && !l.broken("defaults/assume_role") {
		l.warn("defaults/assume_role", "no route takes a role", "give it an arn, or take it away")
	}
}

// problem adds a problem at a path of the merged config.
func (l *loading) problem(path, what, hint string) { l.add(path, what, hint, false) }

// warn adds a problem that does not stop the config.
func (l *loading) warn(path, what, hint string) { l.add(path, what, hint, true) }

func (l *loading) add(path, what, hint string, warning bool) {
	at := l.placeOf(path)
	l.problems = append(l.problems, Problem{
		File: at.file, Line: at.line, Column: at.column, Key: dotted(path), What: what, Hint: hint, Warning: warning,
	})
}

// placeOf is where a key of the merged config was set: in the topmost layer that has it, else, for a
// route's key, in the defaults, else where the nearest key above it stands.
func (l *loading) placeOf(path string) place {
	for p := path; ; {
		for _, d := range slices.Backward(l.documents) {
			if at, ok := d.places[p]; ok {
				return at
			}
		}
		if parts := strings.SplitN(p, "/", 3); len(parts) == 3 && parts[0] == "routes" {
			if at, ok := l.documents[0].places["defaults/"+parts[2]]; ok {
				return at
			}
		}
		if !strings.Contains(p, "/") {
			return place{file: l.path, line: 1, column: 1}
		}
		p, _ = split(p)
	}
}

// shown is a value as a problem may print it: one that the environment or another file holds is not.
func (l *loading) shown(path, value string) string {
	if l.placeOf(path).filled {
		return "(not shown)"
	}
	return value
}

// broken reports whether a problem has been found at or under a path: what is missing there is then no
// second problem.
func (l *loading) broken(path string) bool {
	key := dotted(path)
	return slices.ContainsFunc(l.problems, func(p Problem) bool {
		return !p.Warning && (p.Key == key || strings.HasPrefix(p.Key, key+".") || p.Key == "")
	})
}

// misspelt reports whether a problem beside a path supposes that a key was meant to be this one.
func (l *loading) misspelt(path string) bool {
	above, key := split(path)
	hint := fmt.Sprintf("did you mean %q?", key)
	return slices.ContainsFunc(l.problems, func(p Problem) bool {
		return p.Hint == hint && strings.HasPrefix(p.Key, dotted(above)+".")
	})
}

func (l *loading) listen(cfg *Config) {
	if len(cfg.Listen) == 0 && !l.broken("listen") {
		l.problem("listen", "there is no address to listen on", "")
	}
	taken := map[string]bool{}
	for i, address := range cfg.Listen {
		path := fmt.Sprintf("listen/%d", i)
		plain := l.address(path, address)
		if plain != "" && taken[plain] {
			l.problem(path, "stands twice", "")
		}
		taken[plain] = true
	}
}

// address holds one address against the rules, and is it in its one spelling; "" if it is none.
func (l *loading) address(path, address string) string {
	if socket, ok := strings.CutPrefix(address, "unix://"); ok {
		switch {
		case !filepath.IsAbs(socket):
			l.problem(path, "the path of a unix socket is absolute", "write unix:///run/user/1000/signet.sock")
		case len(socket) > maxSocket:
			l.problem(path, fmt.Sprintf("the path of a unix socket has at most %d bytes", maxSocket), "")
		}
		return "unix://" + filepath.Clean(socket)
	}
	host, port, err := net.SplitHostPort(address)
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil {
		l.problem(path, "is no address", "write host:port, 127.0.0.1:8484 for instance, or unix:///path")
		return ""
	}
	if !isLoopback(host) {
		l.problem(path, "is not a loopback address: others could sign as you",
			"listeners with TLS are not supported yet; write 127.0.0.1:"+l.shown(path, port))
		return ""
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
	}
	if n == 0 {
		return "" // any port that is free: twice, it is two
	}
	return fmt.Sprintf("%s:%d", strings.ToLower(host), n)
}

// isLoopback reports whether a host is this machine, whoever is asked.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func (l *loading) auth(cfg *Config) {
	for i, host := range cfg.Auth.AllowedHosts {
		if host == "" || strings.ContainsAny(host, "/:@*") && net.ParseIP(host) == nil {
			l.problem(fmt.Sprintf("auth/allowed_hosts/%d", i), "is no host name", "write it without scheme and port")
		}
	}
	for i, origin := range cfg.Auth.AllowedOrigins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || strings.Contains(origin, "*") {
			l.problem(fmt.Sprintf("auth/allowed_origins/%d", i), "is no origin", "write scheme://host or scheme://host:port")
		}
	}
	cfg.Auth.KeysFile = l.beside(cfg.Auth.KeysFile)
	if cfg.Auth.Mode != "keys" {
		return
	}
	content, err := l.contentOf(cfg.Auth.KeysFile)
	if err == nil {
		cfg.Auth.Keys, err = parseKeys(content)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.unread("auth/keys_file", cfg.Auth.KeysFile, err)
	}
}

// unread says why a file that a key names is of no use.
func (l *loading) unread(path, file string, err error) {
	file = l.shown(path, file)
	l.problem(path, fmt.Sprintf("%s: %s", file, reason(err)), modeHint(err, file))
}

func sortedNames(routes map[string]Route) []string {
	names := make([]string, 0, len(routes))
	for name := range routes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
