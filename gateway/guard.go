package gateway

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"signet/config"
	"signet/gateway/envelope"
)

// A guard says who may come in. It looks at every request, whatever its path and method: signing rewrites
// Host, so the upstream's own defence against DNS rebinding never sees a browser's request as it was.
type guard struct {
	names   []string // Host values without port that are the listeners' own or allowed
	ports   []string // the listeners' ports
	hosts   []string // allowed_hosts: any port
	origins []string
	keys    map[[sha256.Size]byte]string // name by hash; nil: everyone is let in
}

func newGuard(cfg *config.Config) *guard {
	g := &guard{
		names:   []string{"localhost", "127.0.0.1", "::1"},
		hosts:   cfg.Auth.AllowedHosts,
		origins: cfg.Auth.AllowedOrigins,
	}
	for _, address := range cfg.Listen {
		if host, port, err := net.SplitHostPort(address); err == nil {
			if ip := net.ParseIP(host); ip == nil || !ip.IsUnspecified() { // 0.0.0.0 is where it listens, and no name
				g.names = append(g.names, strings.ToLower(host))
			}
			g.ports = append(g.ports, port)
		}
	}
	if cfg.Auth.Mode == "none" {
		return g
	}
	g.keys = map[[sha256.Size]byte]string{}
	for _, key := range cfg.Auth.Keys {
		g.keys[key.Hash] = key.Name
	}
	return g
}

// admit is the name of the caller's key, or why the request may not come in.
func (g *guard) admit(r *http.Request) (caller string, _ *refusal) {
	if !g.hostAllowed(r) {
		return "", denied("host", fmt.Sprintf("Host %q is not one of this gateway's names (auth.allowed_hosts)", r.Host))
	}
	if !g.originAllowed(r) {
		return "", denied("origin", fmt.Sprintf("Origin %q may not call (auth.allowed_origins)", r.Header.Get("Origin")))
	}
	if isDiscovery(r.URL.Path) {
		return "", refuse(http.StatusNotFound, &envelope.Error{
			Code: envelope.CodeNoRoute, Reason: "no_such_route", Outcome: notSent,
			Message: "this gateway is no OAuth server: callers send a key, Authorization: Bearer",
		})
	}
	if g.keys == nil || isProbe(r.URL.Path) {
		return "", nil
	}
	caller, ok := g.caller(r)
	if !ok {
		return "", denied("no_key", "no or wrong key: send Authorization: Bearer with one made by signet keys add")
	}
	return caller, nil
}

// hostAllowed reports whether the Host header names this gateway: one of its names with one of its ports,
// or an allowed host with any.
func (g *guard) hostAllowed(r *http.Request) bool {
	host, port := r.Host, ""
	if h, p, err := net.SplitHostPort(r.Host); err == nil {
		host, port = h, p
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	host = strings.ToLower(host)
	if slices.ContainsFunc(g.hosts, func(allowed string) bool { return strings.EqualFold(allowed, host) }) {
		return true
	}
	return slices.Contains(g.names, host) && g.portAllowed(r, port)
}

// portAllowed reports whether port is the one the request came in by, or that of another listener. None is
// the scheme's own. What comes by a unix socket has no port to compare.
func (g *guard) portAllowed(r *http.Request, port string) bool {
	switch {
	case port == "" && r.TLS != nil:
		port = "443"
	case port == "":
		port = "80"
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if ok && local.Network() == "unix" {
		return true
	}
	if ok {
		if _, own, err := net.SplitHostPort(local.String()); err == nil && own == port {
			return true
		}
	}
	return slices.Contains(g.ports, port)
}

// originAllowed reports whether a browser page may have sent the request: pages say where they come from,
// and other programs say nothing. The gateway's own origin may: the Host was found to be one of its names,
// and no page is served there but its own.
func (g *guard) originAllowed(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return len(r.Header["Origin"]) == 1 && g.originListed(r.Header.Get("Origin"))
	}
	switch origins := r.Header["Origin"]; len(origins) {
	case 0:
		return true
	case 1:
		return g.originListed(origins[0]) || strings.EqualFold(origins[0], ownOrigin(r))
	}
	return false
}

// ownOrigin is the origin of a page that the gateway itself serves under the name that the request has for it.
func ownOrigin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (g *guard) originListed(origin string) bool {
	return slices.ContainsFunc(g.origins, func(allowed string) bool { return strings.EqualFold(allowed, origin) })
}

// caller is the name of the key a request carries. The secret is looked up by its hash, so comparing takes
// the same time whatever it is.
func (g *guard) caller(r *http.Request) (string, bool) {
	values := r.Header["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	scheme, secret, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	name, ok := g.keys[sha256.Sum256([]byte(strings.TrimSpace(secret)))]
	return name, ok
}

// isDiscovery reports whether a client asks for OAuth metadata or endpoints, at the root or under a route.
func isDiscovery(path string) bool {
	decoded, err := url.PathUnescape(path)
	if err != nil {
		decoded = path
	}
	if slices.Contains(strings.Split(decoded, "/"), ".well-known") {
		return true
	}
	switch decoded[strings.LastIndexByte(decoded, '/')+1:] {
	case "register", "authorize", "token":
		return true
	}
	return false
}

// isProbe reports whether path is one of the two that answer without a key.
func isProbe(path string) bool { return path == pathHealthy || path == pathReady }

func denied(reason, message string) *refusal {
	return refuse(http.StatusForbidden, &envelope.Error{
		Code: envelope.CodeDenied, Reason: reason, Message: message, Outcome: notSent,
	})
}
