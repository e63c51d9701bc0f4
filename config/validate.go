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
	l.listenTLS(&cfg.TLS)
	l.listen(cfg)
	l.auth(cfg)
	if cfg.Drain < 0 {
		l.problem("drain", "is negative", "")
	}
	l.telemetry(cfg.Telemetry)
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
	l.memory(cfg)
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

// shown is a value as a problem may print it: one that the environment or another file holds is not.
func (l *loading) shown(path, value string) string {
	if l.placeOf(path).filled {
		return "(not shown)"
	}
	return value
}

func (l *loading) listen(cfg *Config) {
	if len(cfg.Listen) == 0 && !l.broken("listen") {
		l.problem("listen", "there is no address to listen on", "")
	}
	taken := map[string]bool{}
	for i, address := range cfg.Listen {
		path := fmt.Sprintf("listen/%d", i)
		plain := l.address(path, address, cfg)
		if plain != "" && taken[plain] {
			l.problem(path, "stands twice", "")
		}
		taken[plain] = true
	}
}

// address holds one address against the rules, and is it in its one spelling; "" if it is none.
func (l *loading) address(path, address string, cfg *Config) string {
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
	if !isLoopback(host) && !l.public(path, host, port, cfg) {
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

// public reports whether an address may be one that other machines reach: only over TLS, and with a key.
func (l *loading) public(path, host, port string, cfg *Config) bool {
	loopback := "or write 127.0.0.1:" + l.shown(path, port)
	switch {
	case cfg.Auth.Mode != "keys" && !l.broken("auth/mode"):
		l.problem(path, "is not a loopback address, and auth.mode is none: others could sign as you", "set auth.mode to keys, "+loopback)
		return false
	case !cfg.TLS.On() && !l.broken("tls"):
		l.problem(path, "is not a loopback address: keys and calls would cross the network in the clear",
			"set tls, with cert_file and key_file, "+loopback)
		return false
	}
	ip := net.ParseIP(host)
	if (host == "" || ip != nil && ip.IsUnspecified()) && len(cfg.Auth.AllowedHosts) == 0 {
		l.warn(path, "callers from elsewhere are refused: their Host names none of this gateway's own addresses",
			"list the names they call it by in auth.allowed_hosts")
	}
	return true
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
